import type { Database, ReaderPool } from '#lib/database';
import type { Logger } from '#lib/logging';
import type { MailMetrics } from '#lib/telemetry';
import type { Config } from '../config.js';
import type { Statement } from '../domain/statement.js';

/** Finds creators' addresses; one without is absent. Rejects when nobody can tell. */
export type FindAddresses = (creatorIds: readonly bigint[]) => Promise<ReadonlyMap<bigint, string>>;

export interface OutgoingMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly messageId: string;
  readonly attachment: { readonly filename: string; readonly content: Buffer };
}

/** A mail that was not accepted. */
export class MailError extends Error {
  constructor(
    message: string,
    /** Status that the server answered with, when it did. */
    readonly responseCode: number | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Hands a mail to the mail server. `beforeEnd` is awaited when everything but the end of the message was sent; when it
 * rejects, the end is not sent, and the server drops the message.
 * @throws MailError when the server did not accept it
 */
export type SendMail = (mail: OutgoingMail, beforeEnd: () => Promise<void>) => Promise<void>;

/** What every use case of this replica works with. */
export interface Context {
  readonly config: Config;
  readonly database: Database;
  readonly reader: ReaderPool;
  readonly logger: Logger;
  readonly metrics: MailMetrics;
  readonly replica: string;
  readonly now: () => number;
  readonly findAddresses: FindAddresses;
  readonly sendMail: SendMail;
  readonly renderPdf: (statement: Statement) => Promise<Buffer>;
  /** Look now for what is to be done: messages to publish, runs to work on, mails to send. */
  readonly wake: () => void;
}
