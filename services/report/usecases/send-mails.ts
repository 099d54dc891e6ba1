import { inTransaction, isRetryable } from '#lib/database';
import { backoffMs, messageIdOf, verdictOf } from '../domain/mail.js';
import type { Statement } from '../domain/statement.js';
import {
  type ClaimedMail,
  claimDueMails,
  markCommitting,
  markFailed,
  markSent,
  releaseExpired,
  requeue,
} from '../repositories/mail-repository.js';
import { findStatement } from '../repositories/statement-repository.js';
import { type Context, MailError, type OutgoingMail } from './context.js';

/** How long mails wait when the addresses cannot be found out. */
const ADDRESSES_WAIT_MS = 2_000;
const RECORD_ATTEMPTS_MAX = 20;
const RECORD_PAUSE_MS = 250;

/**
 * Sends the mails that are due, as many at once as there are connections.
 * @returns how many were tried
 */
export async function sendDueMails(context: Context): Promise<number> {
  const { primary } = context.database;
  const { SMTP_CONNECTIONS, REPORT_MAIL_LEASE_MS } = context.config;
  const { doubtful } = await releaseExpired(primary);
  if (doubtful > 0) {
    context.metrics.mails.inc({ outcome: 'failed' }, doubtful);
    context.logger.error({ mails: doubtful }, 'mails are in doubt: they may or may not be delivered');
  }
  const claim = { owner: context.replica, count: SMTP_CONNECTIONS * 2, leaseMs: REPORT_MAIL_LEASE_MS };
  const mails = await inTransaction(primary, (tx) => claimDueMails(tx, claim));
  if (mails.length === 0) return 0;
  const addresses = await findAddresses(context, mails);
  if (addresses !== undefined) {
    await Promise.all(mails.map((mail) => sendOne(context, mail, addresses.get(mail.creatorId))));
  }
  return mails.length;
}

async function findAddresses(
  context: Context,
  mails: readonly ClaimedMail[],
): Promise<ReadonlyMap<bigint, string> | undefined> {
  try {
    return await context.findAddresses([...new Set(mails.map((mail) => mail.creatorId))]);
  } catch (error) {
    const message = `the address could not be found out: ${(error as Error).message}`;
    context.logger.warn({ err: error }, 'addresses cannot be found out, mails wait');
    for (const mail of mails) {
      const wait = { delayMs: ADDRESSES_WAIT_MS, error: message, countsAttempt: false };
      await requeue(context.database.primary, mail, wait);
    }
    return undefined;
  }
}

async function sendOne(context: Context, mail: ClaimedMail, address: string | undefined): Promise<void> {
  const { primary } = context.database;
  if (address === undefined) {
    const error = 'the creator has no e-mail address';
    context.metrics.mails.inc({ outcome: 'failed' });
    await record(context, () => markFailed(primary, mail, { failure: 'NO_ADDRESS', error }));
    return;
  }
  let endMayBeSent = false;
  try {
    const outgoing = await compose(context, mail, address);
    await context.sendMail(outgoing, async () => {
      if (!(await markCommitting(primary, mail))) throw new Error('the claim of the mail has run out');
      endMayBeSent = true;
    });
  } catch (error) {
    await afterFailure(context, mail, { error: error as Error, endMayBeSent });
    return;
  }
  context.metrics.mails.inc({ outcome: 'sent' });
  await record(context, () => markSent(primary, mail));
}

async function compose(context: Context, mail: ClaimedMail, to: string): Promise<OutgoingMail> {
  const statement = await findStatement(context.database.primary, mail);
  if (statement === undefined) throw new Error(`there is no statement of creator ${mail.creatorId} for ${mail.week}`);
  const { week, revision } = mail;
  return {
    to,
    subject: `Playbill 주간 정산서 · Weekly statement ${week}${revision > 1 ? ` (revision ${revision})` : ''}`,
    text: textOf(statement),
    messageId: messageIdOf(mail, context.config.REPORT_MAIL_DOMAIN),
    attachment: {
      filename: `playbill-${week}-r${revision}.pdf`,
      content: await context.renderPdf(statement),
    },
  };
}

function textOf({ content, hash }: Statement): string {
  const won = (amount: number) => `${amount.toLocaleString('en-US')} KRW`;
  const { totals } = content;
  return [
    `${content.week} (${content.from} – ${content.to}) 정산서를 보내 드립니다.`,
    `Your statement of ${content.week} is attached.`,
    '',
    `조회 수익 View profit: ${won(totals.videoProfit)}`,
    `광고 수익 Ad profit: ${won(totals.adProfit)}`,
    `조정 Adjustments: ${won(totals.adjustments)}`,
    `합계 Total: ${won(totals.total)}`,
    '',
    `revision ${content.revision}, SHA-256 ${hash}`,
  ].join('\n');
}

async function afterFailure(
  context: Context,
  mail: ClaimedMail,
  { error, endMayBeSent }: { error: Error; endMayBeSent: boolean },
): Promise<void> {
  const { primary } = context.database;
  const { REPORT_MAIL_ATTEMPTS_MAX: attemptsMax, REPORT_MAIL_BACKOFF_MS: firstMs } = context.config;
  const responseCode = error instanceof MailError ? error.responseCode : undefined;
  const verdict = verdictOf({ responseCode, endMayBeSent }, { attempts: mail.attempts, attemptsMax });
  context.logger.warn({ err: error, mailId: mail.mailId, attempt: mail.attempts, verdict }, 'a mail was not accepted');
  context.metrics.mails.inc({ outcome: verdict.kind === 'failed' ? 'failed' : 'retried' });
  if (verdict.kind === 'failed') {
    await record(context, () => markFailed(primary, mail, { failure: verdict.failure, error: error.message }));
    return;
  }
  const delayMs = backoffMs(mail.attempts, firstMs);
  await record(context, () => requeue(primary, mail, { delayMs, error: error.message, countsAttempt: true }));
}

/**
 * Writes what became of a mail, again and again while the database is away. When that is in vain, the mail's lease
 * runs out, and it is settled as one whose sender died.
 */
async function record(context: Context, write: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isRetryable(error) || attempt >= RECORD_ATTEMPTS_MAX) {
        context.logger.error({ err: error }, 'what became of a mail could not be recorded');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RECORD_PAUSE_MS));
    }
  }
}
