import { z } from 'zod';
import { databaseSettings, endpoint, serviceSettings } from '#lib/config';

/** Settings of the report service, all from environment variables; the mail server's account is the secret `smtp`. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** The mail server. */
  PLAYBILL_SMTP: endpoint,
  /** TLS from the first byte (`tls`), by STARTTLS as a must (`starttls`), or as the server offers it (`offered`). */
  SMTP_SECURITY: z.enum(['tls', 'starttls', 'offered']).default('offered'),
  /** Connections to the mail server at once. */
  SMTP_CONNECTIONS: z.coerce.number().int().min(1).max(50).default(4),
  /** How long the mail server may take for one step. */
  SMTP_TIMEOUT_MS: z.coerce.number().int().min(500).max(600_000).default(20_000),
  /** Sender. */
  REPORT_MAIL_FROM: z.string().default('Playbill <statements@playbill.example>'),
  /** Domain of Message-IDs. */
  REPORT_MAIL_DOMAIN: z
    .string()
    .regex(/^[a-z0-9.-]+$/)
    .default('playbill.example'),
  /** How often a mail is tried before it is failed. */
  REPORT_MAIL_ATTEMPTS_MAX: z.coerce.number().int().min(1).max(50).default(10),
  /** Pause after a first failure; each further one doubles it. */
  REPORT_MAIL_BACKOFF_MS: z.coerce.number().int().min(10).max(3_600_000).default(5_000),
  /** How long a mail is its sender's without a sign of life; must exceed SMTP_TIMEOUT_MS. */
  REPORT_MAIL_LEASE_MS: z.coerce.number().int().min(1_000).max(3_600_000).default(60_000),
  /** So many weeks back the schedule makes statements that are missing; older ones are made when an operator asks. */
  REPORT_CATCH_UP_WEEKS: z.coerce.number().int().min(1).max(520).default(13),
  /** Threads that make PDFs. */
  REPORT_PDF_THREADS: z.coerce.number().int().min(1).max(32).default(2),
  /** A replica that is further behind the primary is not read from while another server can be. */
  REPORT_LAG_MAX_MS: z.coerce.number().int().min(100).max(3_600_000).default(5_000),
  /** How long one database server may take for a read before the next one is asked. */
  REPORT_READ_DEADLINE_MS: z.coerce.number().int().min(50).max(600_000).default(30_000),
});

export type Config = z.infer<typeof configSchema>;
