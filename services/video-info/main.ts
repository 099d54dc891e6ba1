import { kstDayOf } from '#domain';
import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { preferenceOf, ReaderPool, readCredentials } from '#lib/database';
import { listen } from '#lib/http';
import { readVersion } from '#lib/results';
import { beginService } from '#lib/service';
import { RunningTop } from './adapters/dapr/running-top.js';
import { StateCache } from './adapters/dapr/state-cache.js';
import { addInfoRoutes, createInfoApp, type InfoApp } from './app.js';
import { configSchema } from './config.js';
import { VersionedReads } from './usecases/versioned-reads.js';

/** Events after which cached answers are old. */
const RESULT_TOPICS = ['statistics.completed', 'settlement.completed'];

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const replica = config.PLAYBILL_REPLICA;
  const { logger, sidecar, onStop } = await beginService('video-info', config);
  let app: InfoApp | undefined;
  const pool = ReaderPool.create({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: config.PLAYBILL_DB_REPLICAS,
    credentials: await readCredentials(sidecar, 'video-info'),
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
    preferred: preferenceOf(replica),
    lagMaxMs: config.INFO_LAG_MAX_MS,
    deadlineMs: config.INFO_READ_DEADLINE_MS,
    onChoice: (server, choice) => app?.onChoice(server, choice),
  });
  app = createInfoApp({
    logger,
    appApiToken: config.APP_API_TOKEN,
    ready: async () => void (await pool.read(readVersion)),
    lags: () => pool.lags(),
  });
  const cache = new StateCache(sidecar, config.INFO_CACHE_SECONDS);
  const onLookup = app.onLookup;
  const reads = new VersionedReads({ pool, cache, onLookup });
  const today = () => kstDayOf(Date.now());
  const running = new RunningTop(sidecar, today, (error) =>
    logger.warn({ err: error }, "today's Top 5 is not renewed"),
  );
  // The event says that there is something new, not how new: the primary knows.
  const onResults = async () => reads.learn(await pool.readPrimary(readVersion));
  const routes = {
    reads,
    refreshRunning: () => running.refresh(),
    now: Date.now,
    verifier: createVerifier({ loadKeys: keysFrom(sidecar) }),
    billPageVideos: config.INFO_BILL_PAGE_VIDEOS,
  };
  addInfoRoutes(app, {
    ...routes,
    logger,
    subscriptions: RESULT_TOPICS.map((topic) => ({ topic, handle: onResults })),
  });
  const server = await listen(app.app, { host: config.APP_HOST, port: config.APP_PORT });
  logger.info({ port: config.APP_PORT }, 'video-info replica is up');

  onStop({ server, linger: 'until the sidecar ends', release: () => pool.close() });
}

await main();
