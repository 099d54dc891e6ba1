import { addDays, billedOnFor, checkSettlementOrder, DomainError, type KstDay, SLICE_COUNT } from '#domain';
import { writeOutbox } from '#lib/dapr';
import { inTransaction, type Queryable } from '#lib/database';
import { firstPhase, nextPhase, type Phase, type Run } from '../domain/run.js';
import { findHold, lockBooks, openBooks } from '../repositories/books-repository.js';
import { clearDirtySlices, dirtySlices, markDirtySlices, slicesWithEvents } from '../repositories/event-repository.js';
import { droppedEvents } from '../repositories/retention-repository.js';
import { endRun, enterPhase, layAside, lockRun, setBilling, setReadPosition } from '../repositories/run-repository.js';
import { completeSettlementDay, creatorSlicesOf, lastSettledDay } from '../repositories/settlement-repository.js';
import { fenceSlices, insertSlices, latestWeights, readSlices } from '../repositories/slice-repository.js';
import {
  completeStatisticDay,
  eventsBySlice,
  hasStatistics,
  replaceDailyTop,
  rowsReadBySlice,
} from '../repositories/statistic-repository.js';
import { tariffVersionOn } from '../repositories/tariff-repository.js';
import { announceStatistics, raiseReadModel } from '../repositories/top-repository.js';
import { type Context, OUTBOX } from './context.js';

const ALL_SLICES = Array.from({ length: SLICE_COUNT }, (_, slice) => slice);

/** A result that contradicts another: the run ends as failed and nothing of the phase counts. */
export class BrokenInvariant extends Error {}

/**
 * Moves a queued run into its first phase, or one that was held into its settlement. Does nothing when somebody else
 * has.
 */
export async function startRun(context: Context, runId: string): Promise<void> {
  await inTransaction(context.database.primary, async (tx) => {
    const run = await lockRun(tx, runId);
    if (run?.state !== 'queued') return;
    const phase = run.phase === null ? firstPhase(run.job) : 'settlement';
    if (phase === 'settlement') await planSettlement(tx, run, context.today());
    else await announce(tx, run, await planStatistics(tx, run));
  });
}

/**
 * Plans the slices to compute: the first time those with events, later those whose events changed. Their marks are
 * cleared in this transaction, before the first time's slices are looked for; the read position is taken after it has
 * committed. So an event is either covered by the position or marks its slice again.
 */
async function planStatistics(tx: Queryable, run: Run): Promise<string> {
  // Raw events are dropped under the same lock: a day is either planned or dropped first.
  await lockBooks(tx);
  await requireRawEvents(tx, run.day);
  const isFirst = !(await hasStatistics(tx, run.day));
  const marked = isFirst ? ALL_SLICES : await dirtySlices(tx, run.day);
  await clearDirtySlices(tx, run.day, marked);
  const slices = isFirst ? await slicesWithEvents(tx, run.day) : marked;
  const weights = await latestWeights(tx, run.day);
  await insertSlices(tx, {
    runId: run.runId,
    phase: 'statistics',
    slices: slices.map((slice) => ({ slice, weight: weights.get(slice) ?? 0 })),
  });
  await enterPhase(tx, run.runId, 'statistics');
  return 'statistics started';
}

/**
 * Plans the settlement of a day: checks the order once more, and fixes what its postings are billed on and priced by.
 * A day that an operator holds is laid aside instead.
 */
async function planSettlement(tx: Queryable, run: Run, today: KstDay): Promise<void> {
  await lockBooks(tx);
  if ((await findHold(tx, run.day)) !== undefined) {
    await layAside(tx, run.runId);
    await announce(tx, run, 'held');
    return;
  }
  const step = checkSettlementOrder({ day: run.day, lastSettledDay: await lastSettledDay(tx), today });
  const billedOn = billedOnFor({ eventDay: run.day, daySettledBefore: step.kind === 'adjust', postingDay: today });
  await setBilling(tx, run.runId, { billedOn, tariffVersion: await tariffVersionOn(tx, run.day) });
  await insertSlices(tx, { runId: run.runId, phase: 'settlement', slices: await creatorSlicesOf(tx, run.day) });
  await enterPhase(tx, run.runId, 'settlement');
  await announce(tx, run, 'settlement started');
}

/** @throws DomainError RAW_DAY_DROPPED when the day's raw events are gone: it can be read, but not computed again */
export async function requireRawEvents(db: Queryable, day: KstDay): Promise<void> {
  if ((await droppedEvents(db, day)) === null) return;
  throw new DomainError('RAW_DAY_DROPPED', `The raw events of ${day} are dropped.`, { field: 'date' });
}

/** Fixes how far a reader must be: after the marks were cleared and committed. Done once a run. */
export async function fixReadPosition(context: Context, run: Run): Promise<string> {
  if (run.readPosition !== null) return run.readPosition;
  const position = await context.database.dialect.currentPosition(context.database.primary);
  await setReadPosition(context.database.primary, run.runId, position);
  return position;
}

/**
 * Ends a phase whose slices are all done: checks its totals, publishes its completion, and begins the next phase or
 * ends the run. Does nothing when somebody else has.
 * @throws BrokenInvariant when stored results and slices disagree
 */
export async function completePhase(context: Context, runId: string, phase: Phase): Promise<void> {
  await inTransaction(context.database.primary, async (tx) => {
    const run = await lockRun(tx, runId);
    if (run?.state !== 'running' || run.phase !== phase) return;
    const slices = await readSlices(tx, runId, phase);
    if (slices.some((slice) => slice.state !== 'done')) return;
    const isNew = slices.length > 0 || !(await hasStatistics(tx, run.day));
    if (phase === 'statistics' && isNew) await completeStatistics(tx, run);
    if (phase === 'settlement') await completeSettlement(tx, run);
    if (nextPhase(run.job, phase) === 'settlement') {
      await planSettlement(tx, run, context.today());
    } else {
      await endRun(tx, runId, { state: 'completed' });
      await announce(tx, run, 'completed');
    }
  });
  context.wakeOutbox();
}

async function completeStatistics(tx: Queryable, run: Run): Promise<void> {
  const [stored, read] = [await eventsBySlice(tx, run.day), await rowsReadBySlice(tx, run.runId)];
  for (const [slice, rows] of read) {
    const events = stored.get(slice) ?? 0;
    if (events !== rows) throw new BrokenInvariant(`slice ${slice} read ${rows} events but stored ${events}`);
  }
  const events = [...stored.values()].reduce((sum, count) => sum + count, 0);
  const revision = await completeStatisticDay(tx, { day: run.day, runId: run.runId, events });
  await replaceDailyTop(tx, run.day);
  await announceStatistics(tx, run.day);
  await writeOutbox(tx, OUTBOX, {
    topic: 'statistics.completed',
    payload: { day: run.day, runId: run.runId, revision },
  });
}

async function completeSettlement(tx: Queryable, run: Run): Promise<void> {
  await openBooks(tx, run.day);
  const revision = await completeSettlementDay(tx, run.day, run.runId);
  await raiseReadModel(tx);
  await writeOutbox(tx, OUTBOX, {
    topic: 'settlement.completed',
    payload: { day: run.day, runId: run.runId, revision },
  });
}

/** Ends a run that cannot go on. Its workers are fenced off, and what it had taken on is marked to be done again. */
export async function failRun(context: Context, runId: string, error: string): Promise<void> {
  await inTransaction(context.database.primary, async (tx) => {
    const run = await lockRun(tx, runId);
    if (run === undefined || (run.state !== 'running' && run.state !== 'queued')) return;
    const slices = await readSlices(tx, runId, 'statistics');
    await markDirtySlices(
      tx,
      run.day,
      slices.map((slice) => slice.slice),
    );
    await fenceSlices(tx, runId);
    await endRun(tx, runId, { state: 'failed', error });
    await announce(tx, run, 'failed');
  });
  context.logger.error({ runId, error }, 'run failed');
}

async function announce(tx: Queryable, run: Run, step: string): Promise<void> {
  await writeOutbox(tx, OUTBOX, {
    topic: 'run.progress',
    payload: { runId: run.runId, day: run.day, job: run.job, step },
  });
}

/** The days that partitions must exist for, seen from today. */
export function partitionRange(today: KstDay): { from: KstDay; to: KstDay } {
  return { from: addDays(today, -1), to: addDays(today, 7) };
}
