import { createDaprServer } from '#lib/dapr';
import { createServiceApp, type Listening, toSidecar } from '#lib/http';
import { CoordinatorActor } from './adapters/actors/coordinator-actor.js';
import { PartitionActor } from './adapters/actors/partition-actor.js';
import { addRoutes, type RouteOptions, translateError } from './adapters/http/routes.js';

export interface AppOptions extends Omit<RouteOptions, 'ending'> {
  /** The schedule fired; its deadline is the binding's. */
  readonly onCron: () => Promise<void>;
}

export interface BatchApp {
  /** Registers everything and listens. */
  start(): Promise<Listening>;
  /** Ends streams of events: their readers ask again, and another replica. */
  endStreams(): void;
}

/** The batch service's server: its actors, the cron binding, and the operators' calls. */
export function createApp(options: AppOptions): BatchApp {
  const { context } = options;
  const ending = new AbortController();
  let listening: Listening;
  const { config } = context;
  const service = createServiceApp({
    logger: context.logger,
    appApiToken: config.APP_API_TOKEN,
    metrics: context.metrics.registry,
    ready: async () => void (await context.database.primary.query('SELECT 1')),
  });
  const server = createDaprServer(service.app, {
    host: config.APP_HOST,
    port: config.APP_PORT,
    sidecarPort: config.DAPR_HTTP_PORT,
    sidecarToken: config.DAPR_API_TOKEN,
    onListen(httpServer) {
      listening = toSidecar(httpServer, service.app);
    },
  });
  return {
    endStreams: () => ending.abort(),
    async start() {
      await server.actor.init();
      await server.actor.registerActor(CoordinatorActor);
      await server.actor.registerActor(PartitionActor);
      await server.binding.receive('cron-daily', options.onCron);
      addRoutes(service.app, { ...options, ending: ending.signal });
      await server.start();
      service.finish(translateError);
      return listening;
    },
  };
}
