import { readConfig } from '#lib/config';
import { WATCH_RECORDED } from '#lib/contract';
import { type Subscription } from '#lib/dapr';
import { connectDatabase, deadLetterInbox, readCredentials } from '#lib/database';
import { listen } from '#lib/http';
import { beginService } from '#lib/service';
import { createDeadLetterMetrics } from '#lib/telemetry';
import { recordingHandler } from './adapters/http/routes.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { RecordingApplier } from './usecases/apply-recordings.js';

const FORGET_INTERVAL_MS = 3_600_000;
/** The app-id that takes the queue; the reserve takes calls only. */
const CONSUMER = 'advertisement';

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService(config.APP_ID, config);
  const database = await connectDatabase({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: [],
    credentials: await readCredentials(sidecar, 'advertisement'),
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
  });
  const { primary } = database;
  const applier = new RecordingApplier({
    primary,
    gatherMs: config.AD_GATHER_MS,
    recordingsMax: config.AD_COMMIT_RECORDINGS_MAX,
  });
  const deadLetters = deadLetterInbox(primary, CONSUMER);
  const queue: Subscription[] = [
    { topic: WATCH_RECORDED, deadLetterTopic: deadLetters.topic, handle: recordingHandler(applier) },
    deadLetters,
  ];
  const app = createApp({
    logger,
    appApiToken: config.APP_API_TOKEN,
    ready: async () => void (await primary.query('SELECT 1')),
    metrics: createDeadLetterMetrics({ [CONSUMER]: () => deadLetters.countWaiting() }),
    applier,
    subscriptions: config.APP_ID === CONSUMER ? queue : [],
  });
  const server = await listen(app, { host: config.APP_HOST, port: config.APP_PORT });
  const forgetting = setInterval(() => {
    applier.forgetOld().catch((error: unknown) => logger.warn({ err: error }, 'old recordings were not forgotten'));
  }, FORGET_INTERVAL_MS);
  logger.info({ port: config.APP_PORT }, 'advertisement is up');

  onStop({
    server,
    linger: 'until the sidecar ends',
    handBack: async () => clearInterval(forgetting),
    async release() {
      await applier.drained();
      await database.close();
    },
  });
}

await main();
