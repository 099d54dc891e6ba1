import { createVerifier, keysFrom } from '#lib/auth';
import { readConfig } from '#lib/config';
import { OutboxRelay, readOutboxState, Sidecar } from '#lib/dapr';
import {
  type Credentials,
  connectDatabase,
  DatabaseClock,
  inTransaction,
  ReaderPool,
  readCredentials,
} from '#lib/database';
import { listen } from '#lib/http';
import { type Logger } from '#lib/logging';
import { Loop } from '#lib/loop';
import { beginService } from '#lib/service';
import { createMailMetrics } from '#lib/telemetry';
import { addressesBy } from './adapters/dapr/addresses.js';
import { PdfRenderer } from './adapters/pdf/renderer.js';
import { createMailer } from './adapters/smtp/mailer.js';
import { createApp } from './app.js';
import { type Config, configSchema } from './config.js';
import { countMailsInDoubt, countQueuedMails } from './repositories/mail-repository.js';
import type { Context } from './usecases/context.js';
import { sendDueMails } from './usecases/send-mails.js';
import { actOnSchedule, workOnRun } from './usecases/statement-runs.js';

const LOOK_INTERVAL_MS = 1_000;
/** A cron binding that fired while nobody listened is made good within it. */
const SCHEDULE_INTERVAL_MS = 30_000;
const OUTBOX = 'playbill_report.outbox';

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const replica = config.PLAYBILL_REPLICA;
  const { logger, sidecar, onStop } = await beginService('report', config);
  const databases = await openDatabases(config, sidecar);
  const { database, reader } = databases;
  const clock = await DatabaseClock.start(database.primary);
  const renderer = new PdfRenderer({ threads: config.REPORT_PDF_THREADS });
  const mailer = createMailer({
    server: config.PLAYBILL_SMTP,
    security: config.SMTP_SECURITY,
    account: await mailAccount(sidecar),
    from: config.REPORT_MAIL_FROM,
    connections: config.SMTP_CONNECTIONS,
    timeoutMs: config.SMTP_TIMEOUT_MS,
  });
  const relay = new OutboxRelay({
    transaction: (work) => inTransaction(database.primary, work),
    table: OUTBOX,
    publish: (topic, event) => sidecar.publish(topic, { ...event, type: topic, source: 'playbill/report' }),
    onError: (error) => logger.warn({ err: error }, 'events could not be published, trying again'),
  });
  const loops: Loop[] = [];
  const context: Context = {
    config,
    database,
    reader,
    logger,
    metrics: createMailMetrics(
      { [OUTBOX]: () => readOutboxState(database.primary, { table: OUTBOX }) },
      { queued: () => countQueuedMails(database.primary), in_doubt: () => countMailsInDoubt(database.primary) },
    ),
    replica,
    now: clock.now,
    findAddresses: addressesBy(sidecar),
    sendMail: mailer.send,
    renderPdf: (statement) => renderer.render(statement),
    wake() {
      relay.wake();
      for (const loop of loops) loop.wake();
    },
  };
  loops.push(...loopsOf(context, logger));
  const verifier = createVerifier({ loadKeys: keysFrom(sidecar), now: clock.now });
  const app = createApp({ context, verifier, ready: async () => void (await database.primary.query('SELECT 1')) });
  const server = await listen(app, { host: config.APP_HOST, port: config.APP_PORT });
  relay.start();
  for (const loop of loops) loop.start();
  const schedule = setInterval(() => void tick(context), SCHEDULE_INTERVAL_MS);
  logger.info({ port: config.APP_PORT }, 'report is up');

  onStop({
    server,
    linger: 'until the sidecar ends',
    async handBack() {
      clearInterval(schedule);
      await Promise.all([relay, ...loops].map((loop) => loop.stop()));
    },
    async release() {
      mailer.close();
      clock.stop();
      await renderer.close();
      await Promise.all([reader.close(), database.close()]);
    },
  });
}

function loopsOf(context: Context, logger: Logger): Loop[] {
  const loop = (name: string, work: () => Promise<boolean>) =>
    new Loop({
      work,
      intervalMs: LOOK_INTERVAL_MS,
      onError: (error) => logger.warn({ err: error }, `${name} did not succeed, trying again`),
    });
  return [
    loop('making statements', () => workOnRun(context)),
    loop('sending mails', async () => (await sendDueMails(context)) > 0),
  ];
}

async function tick(context: Context): Promise<void> {
  await actOnSchedule(context).catch((error: unknown) =>
    context.logger.warn({ err: error }, 'the schedule could not be acted on, trying again'),
  );
}

async function openDatabases(config: Config, sidecar: Sidecar) {
  const credentials = await readCredentials(sidecar, 'report');
  const servers = { primary: config.PLAYBILL_DB_PRIMARY, replicas: config.PLAYBILL_DB_REPLICAS };
  const poolSize = config.PLAYBILL_DB_POOL_SIZE;
  const database = await connectDatabase({ ...servers, replicas: [], credentials, poolSize });
  const reader = ReaderPool.create({
    ...servers,
    credentials,
    poolSize: 2,
    preferred: 0,
    lagMaxMs: config.REPORT_LAG_MAX_MS,
    deadlineMs: config.REPORT_READ_DEADLINE_MS,
  });
  return { database, reader };
}

/** The account at the mail server; a server without authentication has an empty user name. */
async function mailAccount(sidecar: Sidecar): Promise<Credentials | undefined> {
  const { username = '', password = '' } = await sidecar.secret('smtp');
  return username === '' ? undefined : { username, password };
}

await main();
