import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Endpoint } from '#lib/config';
import { MailError, type OutgoingMail, type SendMail } from '../../usecases/context.js';

export interface MailerOptions {
  readonly server: Endpoint;
  readonly security: 'tls' | 'starttls' | 'offered';
  readonly account: { readonly username: string; readonly password: string } | undefined;
  readonly from: string;
  readonly connections: number;
  readonly timeoutMs: number;
}

export interface Mailer {
  readonly send: SendMail;
  close(): void;
}

/** Hands mails to an SMTP server over a few connections that are kept. */
export function createMailer(options: MailerOptions): Mailer {
  const { server, security, account, connections, timeoutMs } = options;
  const transport = createTransport({
    pool: true,
    host: server.host,
    port: server.port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ...(account === undefined ? {} : { auth: { user: account.username, pass: account.password } }),
    maxConnections: connections,
    // A message is never sent again behind our back: only we know whether its end was sent.
    maxRequeues: 0,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  return {
    async send(mail, beforeEnd) {
      const message = await composeMessage(mail, options.from);
      const envelope = { from: addressIn(options.from), to: [mail.to] };
      const raw = endingAfter(message, beforeEnd);
      try {
        await transport.sendMail({ envelope, raw });
      } catch (error) {
        const { message: text, responseCode } = error as Error & { responseCode?: number };
        throw new MailError(text, responseCode, { cause: error });
      } finally {
        raw.destroy();
      }
    },
    close: () => transport.close(),
  };
}

function composeMessage(mail: OutgoingMail, from: string): Promise<Buffer> {
  const { to, subject, text, messageId, attachment } = mail;
  const composer = new MailComposer({
    from,
    to,
    subject,
    text,
    messageId,
    headers: { 'Auto-Submitted': 'auto-generated' },
    attachments: [{ ...attachment, contentType: 'application/pdf' }],
  });
  return composer.compile().build();
}

/** The message as a stream that ends only after `beforeEnd` has resolved, and breaks when it rejects. */
function endingAfter(message: Buffer, beforeEnd: () => Promise<void>): Readable {
  return Readable.from(
    (async function* () {
      yield message;
      await beforeEnd();
    })(),
    { objectMode: false },
  );
}

function addressIn(from: string): string {
  return /<([^>]+)>/.exec(from)?.[1] ?? from;
}
