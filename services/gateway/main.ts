import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { ROUTES } from '#lib/contract';
import { Sidecar } from '#lib/dapr';
import { createLogger } from '#lib/logging';
import { startTracing } from '#lib/telemetry';
import { Forwarder } from './adapters/http/forward.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { createPublicServer } from './server.js';

const SIDECAR_READY_MS = 60_000;
const READY_TIMEOUT_MS = 1_000;
/** Streams that go on are cut at the end of it. */
const STOP_GRACE_MS = 5_000;

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const replica = config.PLAYBILL_REPLICA;
  const logger = createLogger({ service: 'gateway', replica, level: config.PLAYBILL_LOG_LEVEL });
  const tracing = await startTracing({
    service: 'gateway',
    replica: config.PLAYBILL_REPLICA,
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
  const sidecar = new Sidecar({ httpPort: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN });
  await sidecar.waitReady(SIDECAR_READY_MS);
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
  const stop = () => {
    setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS).unref();
    server.close(() => {
      forwarder.close();
      void tracing.stop().then(() => process.exit(0));
    });
    server.closeIdleConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

await main();
