import type { Server } from 'node:http';
import { CommunicationProtocolEnum, DaprServer, LogLevel } from '@dapr/dapr';
import type { Express } from 'express';

export interface DaprServerSettings {
  readonly host: string;
  readonly port: number;
  readonly sidecarPort: number;
  readonly sidecarToken: string;
  /** Largest request body from the sidecar, in MiB. */
  readonly bodyLimitMb?: number;
  /** Given the HTTP server as soon as there is one: it is ended by its owner, since the SDK cuts off what takes a second. */
  readonly onListen: (server: Server) => void;
}

/**
 * The SDK's server (actors, bindings, subscriptions) on an Express app of ours, bound to one address only
 * (its own `start` would listen on all). Middleware that must run first has to be on `app` already.
 * It installs body parsers, so routes that are added afterwards find `req.body` parsed.
 */
export function createDaprServer(app: Express, settings: DaprServerSettings): DaprServer {
  const listen = app.listen.bind(app) as (port: number, host: string) => ReturnType<Express['listen']>;
  app.listen = ((port: number) => {
    const server = listen(port, settings.host);
    settings.onListen(server);
    return server;
  }) as Express['listen'];
  const logger = { level: LogLevel.Warn };
  return new DaprServer({
    serverHost: settings.host,
    serverPort: String(settings.port),
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    maxBodySizeMb: settings.bodyLimitMb ?? 4,
    serverHttp: app as never,
    logger,
    clientOptions: {
      daprHost: '127.0.0.1',
      daprPort: String(settings.sidecarPort),
      communicationProtocol: CommunicationProtocolEnum.HTTP,
      daprApiToken: settings.sidecarToken,
      logger,
    },
  });
}
