import type { KstDay } from '#domain';
import { inTransaction, isRetryable } from '#lib/database';
import { dirtySlices } from '../repositories/event-repository.js';
import { deleteRerun, insertReruns, readReruns } from '../repositories/rerun-repository.js';
import { findActiveRun, insertRun } from '../repositories/run-repository.js';
import { isSettled } from '../repositories/settlement-repository.js';
import { hasStatistics } from '../repositories/statistic-repository.js';
import type { Context } from './context.js';

/** Remembers days whose events were revoked until a run that covers them is queued. Safe to repeat. */
export async function requestReruns(
  context: Context,
  { days, requestedBy }: { days: readonly KstDay[]; requestedBy: string },
): Promise<void> {
  await insertReruns(context.database.primary, days, requestedBy);
}

/**
 * Queues a run for each remembered day that has none. A day that is running now may have read its events before they
 * were revoked, so it is kept until that run has ended; a day that was never computed is covered by its first run.
 * @returns the days that were queued
 */
export async function queueReruns(context: Context): Promise<KstDay[]> {
  const { primary } = context.database;
  const queued: KstDay[] = [];
  for (const { day, requestedBy } of await readReruns(primary)) {
    try {
      await inTransaction(primary, async (tx) => {
        const active = await findActiveRun(tx, day);
        if (active !== undefined && active.state !== 'queued') return;
        const waits = active === undefined && (await hasStatistics(tx, day)) && (await dirtySlices(tx, day)).length > 0;
        if (waits) {
          const job = (await isSettled(tx, day)) ? 'daily' : 'statistics';
          await insertRun(tx, { job, day, requestedBy });
          queued.push(day);
        }
        await deleteRerun(tx, day);
      });
    } catch (error) {
      const isTaken = (error as { code?: string }).code === 'ER_DUP_ENTRY';
      if (!isTaken && !isRetryable(error)) throw error;
    }
  }
  return queued;
}
