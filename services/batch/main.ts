import { randomUUID } from 'node:crypto';
import { constants, setPriority } from 'node:os';
import { addDays, kstDayOf, startOfDayMs } from '#domain';
import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { OutboxRelay, readOutboxState, Sidecar } from '#lib/dapr';
import {
  connectDatabase,
  type Database,
  DatabaseClock,
  dropPartitions,
  ensurePartitions,
  inTransaction,
  lastPartitionBound,
  readCredentials,
} from '#lib/database';
import { type Logger } from '#lib/logging';
import { beginService } from '#lib/service';
import { type BooksState, createRunMetrics } from '#lib/telemetry';
import { ActorClient } from './adapters/actors/coordinator-client.js';
import { PARTITION_IDS } from './adapters/actors/partition-actor.js';
import { provideServices } from './adapters/actors/services.js';
import { createApp } from './app.js';
import { type Config, configSchema } from './config.js';
import { countDirtySlices } from './repositories/event-repository.js';
import { lastSettledDay } from './repositories/settlement-repository.js';
import { beat, retire } from './repositories/worker-repository.js';
import { createTopBuilder } from './usecases/build-tops.js';
import { type Context, OUTBOX } from './usecases/context.js';
import { PartitionDirectory } from './usecases/partition-directory.js';
import { partitionRange } from './usecases/phases.js';
import { queueReruns } from './usecases/rerun.js';
import { RunDriver } from './usecases/run-driver.js';
import { SliceWorker } from './usecases/slice-worker.js';

const HEARTBEAT_MS = 1_000;
/** How often a replica looks by itself whether runs are driven: a reminder can hang with the host that it was for. */
const DRIVE_INTERVAL_MS = 5_000;
/** The schedule of components/cron-daily: ten past midnight, Asia/Seoul. */
const CRON_AFTER_MIDNIGHT_MS = 10 * 60_000;

async function main(): Promise<void> {
  // Nobody waits for a run, but viewers do for the services that share its machine.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService('batch', config);
  const { context, relay, close } = await createContext({ config, logger, sidecar });
  const actors = new ActorClient(sidecar);
  const worker = new SliceWorker(context, () => void actors.wake().catch(() => undefined));
  const directory = new PartitionDirectory((id) => actors.where(id), PARTITION_IDS);
  const driver = new RunDriver({ context, directory, handOut: (id, task) => actors.process(id, task) });
  const tops = createTopBuilder(context);
  const tickIfDue = createTick(actors, context);
  provideServices({
    context,
    driver,
    worker,
    onWatchdog() {
      void queueReruns(context)
        .catch((error: unknown) => logger.warn({ err: error }, 'days could not be queued again'))
        .finally(() => driver.ensureRunning());
      void tickIfDue();
    },
  });
  const app = createApp({
    context,
    actors,
    verifier: createVerifier({ loadKeys: keysFrom(sidecar), now: context.now }),
    onCron: tickIfDue,
  });
  const server = await app.start();
  const heartbeat = startHeartbeat(context);
  const driving = setInterval(() => driver.ensureRunning(), DRIVE_INTERVAL_MS);
  relay.start();
  tops.start();
  await keepTrying(logger, 'the watchdog reminder', () => actors.setWatchdog());
  logger.info({ port: config.APP_PORT }, 'batch replica is up');

  onStop({
    server,
    linger: 'until the sidecar ends',
    async handBack() {
      clearInterval(driving);
      app.endStreams();
      await heartbeat.stop();
      await Promise.all([driver.stop(), worker.stop(), tops.stop()]);
      await relay.stop();
    },
    release: close,
  });
}

async function createContext({ config, logger, sidecar }: { config: Config; logger: Logger; sidecar: Sidecar }) {
  const servers = { primary: config.PLAYBILL_DB_PRIMARY, replicas: config.PLAYBILL_DB_REPLICAS };
  const database = await connectDatabase({
    ...servers,
    credentials: await readCredentials(sidecar, 'batch'),
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
  });
  const maintenance = await connectDatabase({
    primary: servers.primary,
    replicas: [],
    credentials: await readCredentials(sidecar, 'maintenance'),
    poolSize: 1,
  });
  const relay = new OutboxRelay({
    transaction: (work) => inTransaction(database.primary, work),
    table: OUTBOX,
    publish: (topic, event) => sidecar.publish(topic, { ...event, type: topic, source: 'playbill/batch' }),
    onError: (error) => logger.warn({ err: error }, 'events could not be published, trying again'),
  });
  const clock = await DatabaseClock.start(database.primary);
  const today = () => kstDayOf(clock.now());
  const context: Context = {
    config,
    database,
    sidecar,
    logger,
    metrics: createRunMetrics(booksState(database.primary), {
      [OUTBOX]: () => readOutboxState(database.primary, { table: OUTBOX }),
    }),
    replica: config.PLAYBILL_REPLICA,
    now: clock.now,
    today,
    dropPartitions: (before) => dropPartitions(maintenance.primary, before),
    lastPartitionBound: (day) => lastPartitionBound(maintenance.primary, day),
    preparePartitions: async () => {
      const { from, to } = partitionRange(today());
      await ensurePartitions(maintenance.primary, from, to);
    },
    wakeOutbox: () => relay.wake(),
  };
  const close = () => {
    clock.stop();
    return Promise.all([database.close(), maintenance.close()]);
  };
  return { context, relay, close };
}

function booksState(primary: Database['primary']): BooksState {
  return {
    dirtySlices: () => countDirtySlices(primary),
    async settledUntilMs() {
      const day = await lastSettledDay(primary);
      return day === null ? undefined : startOfDayMs(addDays(day, 1));
    },
  };
}

/** The slot whose time has come is passed on to the coordinator, which acts on it once. */
function createTick(actors: ActorClient, { logger, now }: Context): () => Promise<void> {
  let acted = '';
  return async () => {
    const nowMs = now();
    const today = kstDayOf(nowMs);
    const slot = nowMs >= startOfDayMs(today) + CRON_AFTER_MIDNIGHT_MS ? today : addDays(today, -1);
    if (slot === acted) return;
    const answer = await actors.tick(slot).catch((error: unknown) => {
      logger.warn({ err: error, slot }, 'the coordinator could not be told of the schedule, a reminder tells it again');
      return undefined;
    });
    if (answer?.ok === true) acted = slot;
  };
}

function startHeartbeat(context: Context): { stop(): Promise<void> } {
  const incarnation = randomUUID();
  const { primary } = context.database;
  const pulse = () =>
    beat(primary, context.replica, incarnation).catch((error: unknown) =>
      context.logger.warn({ err: error }, 'no heartbeat'),
    );
  void pulse();
  const timer = setInterval(() => void pulse(), HEARTBEAT_MS);
  return {
    async stop() {
      clearInterval(timer);
      await retire(primary, context.replica, incarnation).catch(() => undefined);
    },
  };
}

async function keepTrying(logger: Logger, what: string, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      logger.warn({ err: error, attempt }, `${what} could not be set, trying again`);
      await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 200 * attempt)));
    }
  }
}

await main();
