import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { TEST_SMTP_PORT } from './test-stack.js';

/** How the sink answers a message, by its recipient. */
export type SinkAnswer =
  /** Takes it. */
  | 'accept'
  /** Refuses it for now, 451. */
  | 'busy'
  /** Refuses its recipient for good, 550. */
  | 'unknown'
  /** Takes it, and drops the connection instead of saying so. */
  | 'accept-and-drop';

/** A mail server that keeps what it accepts. */
export interface SmtpSink {
  readonly mails: readonly ParsedMail[];
  /** Decides the answers from now on. */
  answer: (recipient: string) => SinkAnswer;
  close(): Promise<void>;
}

/** Listens where the report service of the tests' stack sends its mails, or on any free port. */
export async function startSmtpSink(port: number = TEST_SMTP_PORT): Promise<SmtpSink & { readonly port: number }> {
  const mails: ParsedMail[] = [];
  const sink = { answer: (_recipient: string): SinkAnswer => 'accept' };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo({ address }, _session, done) {
      if (sink.answer(address) === 'unknown') done(failure(550, 'no such mailbox'));
      else done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', async () => {
        const answer = sink.answer(session.envelope.rcptTo[0]?.address ?? '');
        if (answer === 'busy') return done(failure(451, 'try again later'));
        mails.push(await simpleParser(Buffer.concat(chunks)));
        if (answer === 'accept') return done();
        for (const connection of server.connections) (connection as unknown as Connection)._socket.destroy();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    mails,
    get answer() {
      return sink.answer;
    },
    set answer(answer) {
      sink.answer = answer;
    },
    port: (server.server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const connection of server.connections) (connection as unknown as Connection)._socket.destroy();
        server.close(() => resolve());
      }),
  };
}

interface Connection {
  readonly _socket: { destroy(): void };
}

function failure(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
