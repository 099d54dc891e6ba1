import { DomainError, type KstDay } from '#domain';
import { inTransaction } from '#lib/database';
import { firstKeptDay, reasonToKeep } from '../domain/retention.js';
import { writeAudit } from '../repositories/audit-repository.js';
import { lockBooks } from '../repositories/books-repository.js';
import { insertDroppedDay, oldDays } from '../repositories/retention-repository.js';
import type { Context } from './context.js';

export interface RetentionRequest {
  readonly keepDays: number;
  readonly actor: string;
  /** Says what would be dropped, and drops nothing. */
  readonly isTrial: boolean;
}

export interface RetentionResult {
  /** The first day whose raw events are kept: at or before the one asked for, as whole partitions go. */
  readonly keptFrom: KstDay;
  readonly days: readonly { readonly day: KstDay; readonly events: bigint }[];
}

/**
 * Drops the raw events of days that are older than `keepDays`. Statistics, postings and the ledger stay. The days are
 * recorded first, in one transaction under the lock of the books, which planning a run of a day takes as well; then
 * their partitions go, which is done again when a death came in between.
 * @throws DomainError RETENTION_TOO_SHORT; RAW_DAY_NEEDED naming the first day that is not settled, has events that no
 * run has covered, or is being run: nothing is dropped then
 */
export async function dropOldDays(context: Context, request: RetentionRequest): Promise<RetentionResult> {
  const firstKept = firstKeptDay({ today: context.today(), keepDays: request.keepDays });
  const keptFrom = await context.lastPartitionBound(firstKept);
  if (keptFrom === undefined) return { keptFrom: firstKept, days: [] };
  const days = await inTransaction(context.database.primary, async (tx) => {
    await lockBooks(tx);
    const old = await oldDays(tx, keptFrom);
    for (const day of old) {
      const reason = reasonToKeep(day);
      if (reason !== undefined) throw new DomainError('RAW_DAY_NEEDED', `${day.day} must be kept: ${reason}.`);
    }
    const dropped = old.map(({ day, countedEvents }) => ({ day, events: countedEvents! }));
    if (request.isTrial || dropped.length === 0) return dropped;
    for (const day of dropped) await insertDroppedDay(tx, { ...day, actor: request.actor });
    const after = { keptFrom, days: dropped.map(({ day }) => day) };
    await writeAudit(tx, {
      actor: request.actor,
      action: 'events.drop',
      subject: `before:${keptFrom}`,
      before: null,
      after,
    });
    return dropped;
  });
  if (!request.isTrial) await context.dropPartitions(keptFrom);
  return { keptFrom, days };
}

/** The nightly part, where an age is configured: what cannot be dropped yet is said, and tried again the next night. */
export async function dropOldDaysNightly(context: Context): Promise<void> {
  const keepDays = context.config.BATCH_RETENTION_DAYS;
  if (keepDays === 0) return;
  try {
    const { keptFrom, days } = await dropOldDays(context, { keepDays, actor: 'schedule', isTrial: false });
    if (days.length > 0) context.logger.info({ keptFrom, days: days.map(({ day }) => day) }, 'raw events dropped');
  } catch (error) {
    context.logger.warn({ err: error, keepDays }, 'raw events could not be dropped');
  }
}
