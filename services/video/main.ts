import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { WATCH_RECORDED } from '#lib/contract';
import { Sidecar } from '#lib/dapr';
import { type Credentials, connectDatabase, deadLetterInbox, secretName } from '#lib/database';
import { listen } from '#lib/http';
import { createLogger } from '#lib/logging';
import { startTracing } from '#lib/telemetry';
import { counterStore } from './adapters/dapr/counter-store.js';
import { progressBy } from './adapters/dapr/progress-client.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { viewCounter } from './usecases/count-views.js';
import { LiveCounters } from './usecases/live-counters.js';
import { VideoShelf } from './usecases/video-shelf.js';

const SIDECAR_READY_MS = 60_000;
const APP_ID = 'video';

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const logger = createLogger({ service: APP_ID, replica: config.PLAYBILL_REPLICA, level: config.PLAYBILL_LOG_LEVEL });
  const tracing = await startTracing({
    service: 'video',
    replica: config.PLAYBILL_REPLICA,
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
  const sidecar = new Sidecar({ httpPort: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN });
  await sidecar.waitReady(SIDECAR_READY_MS);
  const database = await connectDatabase({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: [],
    credentials: (await sidecar.secret(secretName('video'))) as unknown as Credentials,
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
  });
  const { primary } = database;
  const counters = new LiveCounters({
    store: counterStore(sidecar),
    flushMs: config.VIDEO_COUNTER_FLUSH_MS,
    logger,
  });
  const deadLetters = deadLetterInbox(primary, APP_ID);
  const app = createApp({
    logger,
    appApiToken: config.APP_API_TOKEN,
    ready: async () => void (await primary.query('SELECT 1')),
    verifier: createVerifier({ loadKeys: keysFrom(sidecar) }),
    primary,
    shelf: new VideoShelf(primary, config.VIDEO_REMEMBERED),
    counters,
    readProgress: progressBy(sidecar, config.VIDEO_PROGRESS_DEADLINE_MS),
    now: Date.now,
    subscriptions: [
      { topic: WATCH_RECORDED, deadLetterTopic: deadLetters.topic, handle: viewCounter(counters) },
      deadLetters,
    ],
  });
  const server = await listen(app, { host: config.APP_HOST, port: config.APP_PORT });
  counters.start();
  logger.info({ port: config.APP_PORT }, 'video is up');

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.close();
    await counters.stop();
    await database.close();
    await tracing.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

await main();
