import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { ROUTES } from '#lib/contract';
import { beginService } from '#lib/service';
import { Forwarder } from './adapters/http/forward.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { createPublicServer } from './server.js';

const READY_TIMEOUT_MS = 1_000;
/** Streams that go on are cut at the end of it. */
const STOP_GRACE_MS = 5_000;

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService('gateway', config);
  const forwarder = new Forwarder({
    sidecarPort: config.DAPR_HTTP_PORT,
    sidecarToken: config.DAPR_API_TOKEN,
    logger,
  });
  const app = createApp({
    config,
    logger,
    routes: ROUTES,
    verifier: createVerifier({ loadKeys: keysFrom(sidecar) }),
    forwarder,
    ready: () => sidecar.waitReady(READY_TIMEOUT_MS),
  });
  const server = createPublicServer(app, { connectionsMax: config.GATEWAY_CONNECTIONS_MAX });
  server.listen(config.APP_PORT, config.PLAYBILL_HOST, () =>
    logger.info({ host: config.PLAYBILL_HOST, port: config.APP_PORT }, 'gateway is up'),
  );
  onStop(async () => {
    setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS).unref();
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeIdleConnections();
    });
    forwarder.close();
  });
}

await main();
