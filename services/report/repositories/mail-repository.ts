import { uuidv7 } from '#lib/dapr';
import type { Queryable } from '#lib/database';
import type { MailFailure } from '../domain/mail.js';

const MAIL = 'playbill_report.mail';

/** As clients see it: what is being sent is still queued. */
export type MailState = 'queued' | 'sent' | 'failed';

/** A mail as its creator and the operator see it. */
export interface MailView {
  readonly mailId: string;
  readonly creatorId: bigint;
  readonly week: string;
  readonly revision: number;
  readonly state: MailState;
  readonly attempts: number;
  readonly failure: MailFailure | null;
  readonly lastError: string | null;
}

/** A mail that this process may send while it holds the epoch. */
export interface ClaimedMail {
  readonly mailId: string;
  readonly creatorId: bigint;
  readonly week: string;
  readonly revision: number;
  /** This attempt's number, from 1. */
  readonly attempts: number;
  readonly epoch: number;
}

type Key = Pick<ClaimedMail, 'creatorId' | 'week' | 'revision'>;
type Row = Readonly<Record<string, string>>;

/** Queues the mail of a creator, week and revision unless there is one. */
export async function queueMail(tx: Queryable, { creatorId, week, revision }: Key): Promise<void> {
  await tx.query(
    `INSERT IGNORE INTO ${MAIL} (mail_id, creator_id, week, revision, state, next_attempt_at, created_at)
     VALUES (?, ?, ?, ?, 'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(3))`,
    [uuidv7(), creatorId, week, revision],
  );
}

/** The mail of a creator, week and revision. By the unique key. */
export async function findMailOf(db: Queryable, { creatorId, week, revision }: Key): Promise<MailView | undefined> {
  const rows: Row[] = await db.query(`SELECT * FROM ${MAIL} WHERE creator_id = ? AND week = ? AND revision = ?`, [
    creatorId,
    week,
    revision,
  ]);
  return rows[0] && viewOf(rows[0]);
}

/** The mail with this id. By primary key. */
export async function findMail(db: Queryable, mailId: string): Promise<MailView | undefined> {
  const rows: Row[] = await db.query(`SELECT * FROM ${MAIL} WHERE mail_id = ?`, [mailId]);
  return rows[0] && viewOf(rows[0]);
}

function viewOf(row: Row): MailView {
  return {
    mailId: row.mail_id!,
    creatorId: BigInt(row.creator_id!),
    week: row.week!,
    revision: Number(row.revision),
    state: row.state === 'sent' || row.state === 'failed' ? row.state : 'queued',
    attempts: Number(row.attempts),
    failure: (row.failure ?? null) as MailFailure | null,
    lastError: row.last_error ?? null,
  };
}

/**
 * Takes mails that are due, for the time given: no other sender has them. Reads the index `due`.
 * @param claim who takes how many for how long
 */
export async function claimDueMails(
  tx: Queryable,
  claim: { owner: string; count: number; leaseMs: number },
): Promise<ClaimedMail[]> {
  const rows: Row[] = await tx.query(
    `SELECT mail_id, creator_id, week, revision, attempts, epoch FROM ${MAIL}
     WHERE state = 'queued' AND next_attempt_at <= UTC_TIMESTAMP(6)
     ORDER BY next_attempt_at LIMIT ${claim.count} FOR UPDATE SKIP LOCKED`,
  );
  if (rows.length === 0) return [];
  await tx.query(
    `UPDATE ${MAIL} SET state = 'sending', epoch = epoch + 1, attempts = attempts + 1, claimed_by = ?,
       claimed_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
     WHERE mail_id IN (${rows.map(() => '?').join(', ')})`,
    [claim.owner, claim.leaseMs * 1000, ...rows.map((row) => row.mail_id)],
  );
  return rows.map((row) => ({
    mailId: row.mail_id!,
    creatorId: BigInt(row.creator_id!),
    week: row.week!,
    revision: Number(row.revision),
    attempts: Number(row.attempts) + 1,
    epoch: Number(row.epoch) + 1,
  }));
}

type Claim = Pick<ClaimedMail, 'mailId' | 'epoch'>;

/**
 * Records that the end of the message is about to be sent. Must be committed before it is: from then on nobody sends
 * the mail by itself again.
 * @returns false when the claim has run out or is another's: the end must not be sent
 */
export async function markCommitting(db: Queryable, { mailId, epoch }: Claim): Promise<boolean> {
  const result = await db.query(
    `UPDATE ${MAIL} SET state = 'committing' WHERE mail_id = ? AND epoch = ? AND state = 'sending'
       AND claimed_until > UTC_TIMESTAMP(6)`,
    [mailId, epoch],
  );
  return result.affectedRows === 1;
}

/** Records that the server has taken it, also when the mail was held to be in doubt meanwhile. */
export async function markSent(db: Queryable, { mailId, epoch }: Claim): Promise<void> {
  await db.query(
    `UPDATE ${MAIL} SET state = 'sent', failure = NULL, last_error = NULL, claimed_by = NULL, claimed_until = NULL,
       sent_at = UTC_TIMESTAMP(3)
     WHERE mail_id = ? AND epoch = ? AND (state = 'committing' OR (state = 'failed' AND failure = 'IN_DOUBT'))`,
    [mailId, epoch],
  );
}

/** Gives a mail back, to be tried again after the delay. */
export async function requeue(
  db: Queryable,
  { mailId, epoch }: Claim,
  { delayMs, error, countsAttempt }: { delayMs: number; error: string; countsAttempt: boolean },
): Promise<void> {
  await db.query(
    `UPDATE ${MAIL} SET state = 'queued', next_attempt_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, last_error = ?,
       attempts = attempts - ?, claimed_by = NULL, claimed_until = NULL
     WHERE mail_id = ? AND epoch = ? AND state IN ('sending', 'committing')`,
    [delayMs * 1000, error.slice(0, 500), countsAttempt ? 0 : 1, mailId, epoch],
  );
}

/** Records that a mail is not tried again by itself. */
export async function markFailed(
  db: Queryable,
  { mailId, epoch }: Claim,
  { failure, error }: { failure: MailFailure; error: string },
): Promise<void> {
  await db.query(
    `UPDATE ${MAIL} SET state = 'failed', failure = ?, last_error = ?, claimed_by = NULL, claimed_until = NULL
     WHERE mail_id = ? AND epoch = ? AND state IN ('sending', 'committing')`,
    [failure, error.slice(0, 500), mailId, epoch],
  );
}

/**
 * Settles what senders left that died: a message whose end was not sent is queued again; one whose end may have been
 * sent is in doubt. @returns how many of each
 */
export async function releaseExpired(db: Queryable): Promise<{ requeued: number; doubtful: number }> {
  const requeued = await db.query(
    `UPDATE ${MAIL} SET state = 'queued', next_attempt_at = UTC_TIMESTAMP(6), claimed_by = NULL, claimed_until = NULL,
       last_error = 'the sender ended before the message was sent'
     WHERE state = 'sending' AND claimed_until < UTC_TIMESTAMP(6)`,
  );
  const doubtful = await db.query(
    `UPDATE ${MAIL} SET state = 'failed', failure = 'IN_DOUBT', claimed_by = NULL, claimed_until = NULL,
       last_error = 'the sender ended while the message was handed over; it may have been delivered'
     WHERE state = 'committing' AND claimed_until < UTC_TIMESTAMP(6)`,
  );
  return { requeued: requeued.affectedRows, doubtful: doubtful.affectedRows };
}

/** Mails that are not tried again by themselves, the newest first; of one week when it is given. */
export async function failedMails(db: Queryable, week: string | undefined, limit: number): Promise<MailView[]> {
  const rows: Row[] = await db.query(
    `SELECT * FROM ${MAIL} WHERE state = 'failed' ${week === undefined ? '' : 'AND week = ?'}
     ORDER BY mail_id DESC LIMIT ${limit}`,
    week === undefined ? [] : [week],
  );
  return rows.map(viewOf);
}

/** Queues failed mails again, by the operator's word also one in doubt. @returns how many it were */
export async function replayMails(db: Queryable, mailIds: readonly string[]): Promise<number> {
  if (mailIds.length === 0) return 0;
  const result = await db.query(
    `UPDATE ${MAIL} SET state = 'queued', attempts = 0, failure = NULL, next_attempt_at = UTC_TIMESTAMP(6),
       epoch = epoch + 1
     WHERE state = 'failed' AND mail_id IN (${mailIds.map(() => '?').join(', ')})`,
    [...mailIds],
  );
  return result.affectedRows;
}

const COUNTED_MAX = 10_000;
/** Who finds that a mail in doubt has arrived leaves it as it is, so it does not count for ever. */
const DOUBT_DAYS = 7;

/** How many mails are queued or being sent, up to 10,000. By the index `due`. */
export async function countQueuedMails(db: Queryable): Promise<number> {
  const [row] = await db.query(
    `SELECT COUNT(*) AS mails FROM
       (SELECT 1 FROM ${MAIL} WHERE state IN ('queued', 'sending', 'committing') LIMIT ${COUNTED_MAX}) AS queued`,
  );
  return Number(row.mails);
}

/** How many mails of the last 7 days are in doubt, among the last 10,000 that failed. Reads those by the index `due`. */
export async function countMailsInDoubt(db: Queryable): Promise<number> {
  const [row] = await db.query(
    `SELECT COUNT(*) AS mails FROM
       (SELECT failure FROM ${MAIL}
        WHERE state = 'failed' AND next_attempt_at > UTC_TIMESTAMP(6) - INTERVAL ${DOUBT_DAYS} DAY
        ORDER BY next_attempt_at DESC LIMIT ${COUNTED_MAX}) AS latest
     WHERE failure = 'IN_DOUBT'`,
  );
  return Number(row.mails);
}

/** How many mails of a week are in each state. By the index `by_week`. */
export async function mailCounts(db: Queryable, week: string): Promise<Record<MailState, number>> {
  const rows: { state: string; mails: string }[] = await db.query(
    `SELECT state, COUNT(*) AS mails FROM ${MAIL} WHERE week = ? GROUP BY state`,
    [week],
  );
  const counts = { queued: 0, sent: 0, failed: 0 };
  for (const row of rows) {
    const state = row.state === 'sent' || row.state === 'failed' ? row.state : 'queued';
    counts[state] += Number(row.mails);
  }
  return counts;
}
