import { inTransaction, type Queryable } from '#lib/database';
import type { SliceTask } from '../domain/run.js';
import { type SliceSums, sumSlice } from '../repositories/event-repository.js';
import { finishSlice, holdSlice } from '../repositories/slice-repository.js';
import { replaceStatistics } from '../repositories/statistic-repository.js';
import { chooseReader } from './choose-reader.js';
import type { Context } from './context.js';
import { BrokenInvariant } from './phases.js';

/**
 * Computes one slice of a day's statistics on a replica and replaces its rows on the primary, in one transaction that
 * also proves that the slice is still ours. Nobody else knows how a slice's sums are obtained.
 * @throws FencedError when the slice was given to another worker meanwhile; nothing is stored then
 */
export async function computeStatistics(context: Context, task: SliceTask): Promise<void> {
  const reader = await chooseReader(context, task.readPosition);
  const sums = await sumSlice(reader, task.day, task.slice);
  assertComplete(sums);
  await inTransaction(context.database.primary, async (tx: Queryable) => {
    await holdSlice(tx, task);
    await replaceStatistics(tx, { day: task.day, slice: task.slice, sums });
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
