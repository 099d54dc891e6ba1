import { addDays, daysToCatchUp, type KstDay } from '#domain';
import { inTransaction, type Queryable } from '#lib/database';
import { dirtyDays, earliestEventDay } from '../repositories/event-repository.js';
import { insertRun, settlingRun } from '../repositories/run-repository.js';
import { daysWithNewerStatistics, lastSettledDay } from '../repositories/settlement-repository.js';
import { claimSlot } from '../repositories/worker-repository.js';
import type { Context } from './context.js';
import { dropOldDaysNightly } from './drop-old-days.js';

/**
 * Acts once on a slot of the schedule, however often and on however many replicas it fires: queues every day that is
 * over and not settled yet, in order, and every settled day whose events or statistics changed since. A run of
 * statistics alone that is under way for such a day goes on to settle it. Before the books are open and without any
 * event there is nothing to do.
 * @returns the days that are to be settled
 */
export async function actOnTick(context: Context, slot: KstDay): Promise<KstDay[]> {
  await context.preparePartitions();
  await dropOldDaysNightly(context);
  return inTransaction(context.database.primary, async (tx) => {
    if (!(await claimSlot(tx, `daily:${slot}`))) return [];
    const days = await daysToRun(tx, addDays(slot, -1));
    for (const day of days) {
      const active = await settlingRun(tx, day);
      if (active === undefined) await insertRun(tx, { job: 'daily', day, requestedBy: 'schedule' });
    }
    if (days.length > 0) context.logger.info({ slot, days }, 'schedule: days queued');
    return days;
  });
}

async function daysToRun(tx: Queryable, yesterday: KstDay): Promise<KstDay[]> {
  const [lastSettled, earliest] = [await lastSettledDay(tx), await earliestEventDay(tx)];
  if (lastSettled === null && (earliest === null || earliest > yesterday)) return [];
  const missed = daysToCatchUp({ lastSettledDay: lastSettled, earliestEventDay: earliest, yesterday });
  if (lastSettled === null) return missed;
  const changed = new Set([...(await dirtyDays(tx, lastSettled)), ...(await daysWithNewerStatistics(tx))]);
  return [...[...changed].sort(), ...missed];
}
