import { inTransaction, type Queryable } from '#lib/database';
import { exclusionChanges } from '../domain/late-exclusions.js';
import type { SliceTask } from '../domain/run.js';
import { type SliceSums, sumSlice } from '../repositories/event-repository.js';
import { insertLateExclusions, readExclusions } from '../repositories/exclusion-repository.js';
import { lastSettledDay } from '../repositories/settlement-repository.js';
import { finishSlice, holdSlice } from '../repositories/slice-repository.js';
import { replaceStatistics } from '../repositories/statistic-repository.js';
import { chooseReader } from './choose-reader.js';
import type { Context } from './context.js';
import { BrokenInvariant } from './phases.js';

/**
 * Computes one slice of a day's statistics on a replica and replaces its rows on the primary, in one transaction that
 * also proves that the slice is still ours. Nobody else knows how a slice's sums are obtained. Of a day
 * that is settled, what it changes of the exclusions is kept, because the day's bill stays as it is (decisions/0043).
 * @throws FencedError when the slice was given to another worker meanwhile; nothing is stored then
 */
export async function computeStatistics(context: Context, task: SliceTask): Promise<void> {
  const reader = await chooseReader(context, task.readPosition);
  const sums = await sumSlice(reader, task.day, task.slice);
  assertComplete(sums);
  await inTransaction(context.database.primary, async (tx: Queryable) => {
    await holdSlice(tx, task);
    const lastSettled = await lastSettledDay(tx);
    const isLate = lastSettled !== null && task.day <= lastSettled;
    const before = isLate ? await readExclusions(tx, task) : undefined;
    await replaceStatistics(tx, { day: task.day, slice: task.slice, sums });
    if (before !== undefined) {
      const changes = exclusionChanges(before, await readExclusions(tx, task));
      await insertLateExclusions(tx, { ...task, billedOn: context.today() }, changes);
    }
    await finishSlice(tx, task, { rowsRead: sums.events, rowsWritten: sums.videos });
  });
  context.metrics.rows.inc({ phase: task.phase }, sums.events);
}

/** Every event is either counted or excluded for one reason, and belongs to a video with an owner. */
function assertComplete(sums: SliceSums): void {
  if (sums.unregistered !== null) {
    throw new BrokenInvariant(`video ${sums.unregistered} has events but is not registered`);
  }
  if (sums.unexplained !== 0) throw new BrokenInvariant(`${sums.unexplained} events have an unknown reason`);
}
