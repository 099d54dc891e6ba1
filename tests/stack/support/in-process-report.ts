import { connectDatabase, type Database, ReaderPool } from '#lib/database';
import { createLogger } from '#lib/logging';
import { createMailMetrics } from '#lib/telemetry';
import { credentialsOf } from '../../../deploy/local/stack/index.js';
import { PdfRenderer } from '../../../services/report/adapters/pdf/renderer.js';
import { createMailer, type Mailer } from '../../../services/report/adapters/smtp/mailer.js';
import { configSchema } from '../../../services/report/config.js';
import type { Context } from '../../../services/report/usecases/context.js';
import { stack } from './stack.js';

/** Threads take compiled modules only; the global set-up has compiled them. */
const COMPILED_WORKER = new URL('../../../.local/build/services/report/adapters/pdf/worker.js', import.meta.url);

/** The report service's own code on the stack's databases, by its own account, in this process; the clock is ours. */
export class InProcessReport {
  nowMs = Date.now();
  readonly addresses = new Map<bigint, string>();
  /** Called after a message but its end was sent. */
  onBeforeEnd: () => Promise<void> = async () => undefined;

  private constructor(
    readonly context: Context,
    private readonly parts: { database: Database; reader: ReaderPool; mailer: Mailer; renderer: PdfRenderer },
  ) {}

  static async open(smtpPort: number): Promise<InProcessReport> {
    const { endpoints, secrets } = stack();
    const credentials = credentialsOf(secrets, 'report');
    const servers = { primary: endpoints.primary, replicas: endpoints.replicas.map(({ endpoint }) => endpoint) };
    const database = await connectDatabase({ ...servers, replicas: [], credentials, poolSize: 4 });
    const reader = ReaderPool.create({
      ...servers,
      credentials,
      poolSize: 2,
      preferred: 0,
      lagMaxMs: 5_000,
      deadlineMs: 10_000,
    });
    const config = configSchema.parse({
      APP_PORT: 1,
      APP_API_TOKEN: 'x'.repeat(16),
      DAPR_HTTP_PORT: 1,
      DAPR_API_TOKEN: 'x'.repeat(16),
      PLAYBILL_REPLICA: 'in-process',
      PLAYBILL_DB_PRIMARY: 'unused:1',
      PLAYBILL_SMTP: `127.0.0.1:${smtpPort}`,
      REPORT_MAIL_ATTEMPTS_MAX: 2,
      REPORT_MAIL_BACKOFF_MS: 10,
      REPORT_MAIL_LEASE_MS: 60_000,
    });
    const mailer = createMailer({
      server: config.PLAYBILL_SMTP,
      security: 'offered',
      account: undefined,
      from: config.REPORT_MAIL_FROM,
      connections: 2,
      timeoutMs: 2_000,
    });
    const renderer = new PdfRenderer({ threads: 2, module: COMPILED_WORKER });
    const context: Context = {
      config,
      database,
      reader,
      metrics: createMailMetrics(),
      logger: createLogger({ service: 'report', replica: 'in-process', level: 'error' }).child({}, { level: 'fatal' }),
      replica: 'in-process',
      now: () => report.nowMs,
      findAddresses: async (ids) => new Map([...report.addresses].filter(([id]) => ids.includes(id))),
      sendMail: (mail, beforeEnd) =>
        mailer.send(mail, async () => {
          await beforeEnd();
          await report.onBeforeEnd();
        }),
      renderPdf: (statement) => renderer.render(statement),
      wake: () => undefined,
    };
    const report = new InProcessReport(context, { database, reader, mailer, renderer });
    return report;
  }

  async close(): Promise<void> {
    this.parts.mailer.close();
    await this.parts.renderer.close();
    await Promise.all([this.parts.reader.close(), this.parts.database.close()]);
  }
}
