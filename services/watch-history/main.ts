import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { OutboxRelay, readOutboxState } from '#lib/dapr';
import { connectDatabase, DatabaseClock, inTransaction, readCredentials } from '#lib/database';
import { listen } from '#lib/http';
import { beginService } from '#lib/service';
import { createIngestMetrics } from '#lib/telemetry';
import { recordingOutlets } from './adapters/dapr/recording-outlets.js';
import { videosBy } from './adapters/dapr/video-client.js';
import { createApp } from './app.js';
import { configSchema } from './config.js';
import { readPolicies } from './repositories/policy-repository.js';
import { readLastWatched } from './repositories/progress-repository.js';
import { RECORDINGS } from './repositories/recording-repository.js';
import { RecordingDelivery } from './usecases/deliver-recordings.js';
import { PolicyWatch } from './usecases/policy-watch.js';
import { EventRecorder } from './usecases/record-events.js';
import { RevocationWorker, requestRevocation } from './usecases/revoke-events.js';
import { VideoDirectory } from './usecases/video-directory.js';

const RERUN_TIMEOUT_MS = 5_000;
const OUTBOX = 'playbill_watch.outbox';

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService('watch-history', config);
  const database = await connectDatabase({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: [],
    credentials: await readCredentials(sidecar, 'watch-history'),
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
  });
  const { primary } = database;
  const clock = await DatabaseClock.start(primary);
  const policies = await PolicyWatch.start(() => readPolicies(primary));
  const delivery = new RecordingDelivery({ primary, logger, ...recordingOutlets(sidecar) });
  const metrics = createIngestMetrics({
    [OUTBOX]: () => readOutboxState(primary, { table: OUTBOX }),
    [RECORDINGS.table]: () => readOutboxState(primary, RECORDINGS),
  });
  const outbox = new OutboxRelay({
    transaction: (work) => inTransaction(primary, work),
    table: OUTBOX,
    publish: (topic, event) => sidecar.publish(topic, { ...event, type: topic, source: 'playbill/watch-history' }),
    onError: (error) => logger.warn({ err: error }, 'events could not be published, trying again'),
  });
  const recorder = new EventRecorder({
    metrics,
    primary,
    policies: () => policies.current(),
    onRecorded: (recording) => delivery.offer(recording),
    gatherMs: config.WATCH_GATHER_MS,
    eventsMax: config.WATCH_COMMIT_EVENTS_MAX,
    commitsMax: config.WATCH_COMMITS_MAX,
    waitingMax: config.WATCH_WAITING_MAX,
    deadlineMs: config.WATCH_COMMIT_DEADLINE_MS,
    now: clock.now,
  });
  const revocations = new RevocationWorker({
    primary,
    logger,
    rerun: async (days, requestedBy) => {
      await sidecar.invoke('batch', 'internal/reruns', {
        method: 'POST',
        body: { days, requestedBy },
        timeoutMs: RERUN_TIMEOUT_MS,
      });
    },
  });
  const app = createApp({
    logger,
    appApiToken: config.APP_API_TOKEN,
    ready: async () => void (await primary.query('SELECT 1')),
    verifier: createVerifier({ loadKeys: keysFrom(sidecar), now: clock.now }),
    videos: new VideoDirectory(videosBy(sidecar), config.WATCH_VIDEOS_REMEMBERED),
    recorder,
    metrics,
    now: clock.now,
    revoke: async (revocation) => {
      await requestRevocation(primary, revocation);
      revocations.wake();
    },
    readProgress: (viewing) => readLastWatched(primary, viewing),
  });
  const server = await listen(app, { host: config.APP_HOST, port: config.APP_PORT });
  delivery.start();
  outbox.start();
  revocations.start();
  logger.info({ port: config.APP_PORT }, 'watch-history replica is up');

  onStop({
    server,
    linger: 'until the sidecar ends',
    handBack: () => revocations.stop(),
    async release() {
      await recorder.drained();
      await Promise.all([delivery.stop(), outbox.stop()]);
      policies.stop();
      clock.stop();
      await database.close();
    },
  });
}

await main();
