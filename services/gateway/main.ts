import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { ROUTES } from '#lib/contract';
import { endable } from '#lib/http';
import { beginService } from '#lib/service';
import { Forwarder } from './adapters/http/forward.js';
import { LoopWatch } from './adapters/http/loop-watch.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { createPublicServer } from './server.js';

const READY_TIMEOUT_MS = 1_000;
/** How long clients are told, by the end of their connections, to turn to another gateway. */
const LINGER_MS = 1_000;
/** Connections that wait to be taken: what finds no place is tried again by its sender only after seconds. */
const BACKLOG = 4_096;

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService('gateway', config);
  const { token } = await sidecar.secret('scrape-token');
  const forwarder = new Forwarder({
    sidecarPort: config.DAPR_HTTP_PORT,
    sidecarToken: config.DAPR_API_TOKEN,
    logger,
  });
  const loop = new LoopWatch();
  const { app, listener } = createApp({
    config,
    scrapeToken: token!,
    logger,
    routes: ROUTES,
    verifier: createVerifier({ loadKeys: keysFrom(sidecar) }),
    forwarder,
    loop,
    ready: () => sidecar.waitReady(READY_TIMEOUT_MS),
  });
  const server = createPublicServer(listener, { connectionsMax: config.GATEWAY_CONNECTIONS_MAX });
  const listening = endable(server, app);
  const place = { host: config.PLAYBILL_HOST, port: config.APP_PORT, backlog: BACKLOG };
  server.listen(place, () => logger.info({ host: config.PLAYBILL_HOST, port: config.APP_PORT }, 'gateway is up'));
  loop.start();
  onStop({
    server: listening,
    linger: { forMs: LINGER_MS },
    async handBack() {
      loop.stop();
      forwarder.endStreams();
    },
    release: async () => forwarder.close(),
  });
}

await main();
