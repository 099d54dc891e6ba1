import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { WATCH_RECORDED } from '#lib/contract';
import { connectDatabase, deadLetterInbox, readCredentials } from '#lib/database';
import { listen } from '#lib/http';
import { beginService } from '#lib/service';
import { createDeadLetterMetrics } from '#lib/telemetry';
import { counterStore } from './adapters/dapr/counter-store.js';
import { progressBy } from './adapters/dapr/progress-client.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { viewCounter } from './usecases/count-views.js';
import { LiveCounters } from './usecases/live-counters.js';
import { VideoShelf } from './usecases/video-shelf.js';

const APP_ID = 'video';

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService(APP_ID, config);
  const database = await connectDatabase({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: [],
    credentials: await readCredentials(sidecar, 'video'),
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
    metrics: createDeadLetterMetrics({ [APP_ID]: () => deadLetters.countWaiting() }),
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

  onStop({
    server,
    linger: 'until the sidecar ends',
    handBack: async () => counters.hurry(),
    async release() {
      await counters.stop();
      await database.close();
    },
  });
}

await main();
