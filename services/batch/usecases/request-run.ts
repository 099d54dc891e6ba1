import { addDays, checkSettlementOrder, DomainError, daysOf, type KstDay } from '#domain';
import { inTransaction, type Queryable } from '#lib/database';
import { firstPhase, type Job, nextPhase, type Run } from '../domain/run.js';
import { writeAudit } from '../repositories/audit-repository.js';
import { dirtySlices } from '../repositories/event-repository.js';
import {
  activeSettlementDays,
  findActiveRun,
  findRun,
  insertRun,
  latestCompletedRun,
  settlingRun,
} from '../repositories/run-repository.js';
import { daysWithNewerStatistics, isSettled, lastSettledDay } from '../repositories/settlement-repository.js';
import { hasStatistics } from '../repositories/statistic-repository.js';
import type { Context } from './context.js';
import { requireRawEvents } from './phases.js';

export interface RunRequest {
  readonly from: KstDay;
  readonly to: KstDay;
  readonly job: Job;
  readonly requestedBy: string;
}

/** What became of a request: new runs, or what was there already. */
export type RunRequestResult =
  | { readonly kind: 'accepted'; readonly runIds: readonly string[] }
  | { readonly kind: 'active'; readonly runId: string; readonly day: KstDay }
  | { readonly kind: 'unchanged'; readonly run: Run };

/**
 * Queues a run for each day of the range. A single day that is running already, or done and unchanged since, is
 * answered with that run instead; within a longer range such days are left out, and a run of statistics alone that is
 * under way for one of them goes on to settle it.
 * @throws DomainError DAY_NOT_OVER, SETTLEMENT_GAP (naming the first missing day), STATISTICS_MISSING or RAW_DAY_DROPPED
 */
export async function requestRun(context: Context, request: RunRequest): Promise<RunRequestResult> {
  const days = [...daysOf(request.from, request.to)];
  const settles = request.job !== 'statistics';
  return inTransaction(context.database.primary, async (tx) => {
    if (days.length === 1) {
      const active = await findActiveRun(tx, request.to);
      if (active !== undefined) return answerOf(active);
    }
    await checkOrder(tx, context, request, days);
    const runIds: string[] = [];
    let running: Run | undefined;
    for (const day of days) {
      const active = await (settles ? settlingRun(tx, day) : findActiveRun(tx, day));
      running ??= active;
      if (active !== undefined || (await unchangedRun(tx, day, request.job)) !== undefined) continue;
      await requireRawEvents(tx, day);
      runIds.push(await insertRun(tx, { job: request.job, day, requestedBy: request.requestedBy }));
    }
    if (runIds.length > 0) {
      const { from, to, job } = request;
      const subject = from === to ? `day:${from}` : `days:${from}..${to}`;
      const after = { job, runIds };
      await writeAudit(tx, { actor: request.requestedBy, action: 'run.request', subject, before: null, after });
      return { kind: 'accepted', runIds };
    }
    if (running !== undefined) return answerOf(running);
    const last = await latestCompletedRun(tx, request.to, request.job);
    return { kind: 'unchanged', run: last! };
  });
}

const answerOf = ({ runId, day }: Run): RunRequestResult => ({ kind: 'active', runId, day });

/** The days must be over, and settle in order, counting on the days of the same request and those that are queued. */
async function checkOrder(tx: Queryable, context: Context, request: RunRequest, days: readonly KstDay[]) {
  const settles = request.job !== 'statistics';
  let lastSettled = await lastDayToSettle(tx);
  const today = context.today();
  for (const day of days) {
    // Statistics know no order: any day that is over can be computed.
    const step = checkSettlementOrder({ day, lastSettledDay: settles ? lastSettled : day, today });
    if (settles && step.kind !== 'adjust') lastSettled = day;
    if (request.job === 'settlement' && !(await hasStatistics(tx, day))) {
      throw new DomainError('STATISTICS_MISSING', `${day} has no statistics to settle yet.`, { field: 'date' });
    }
  }
}

/** The last day of the row that the settled days make with those whose runs are queued: these run in order. */
async function lastDayToSettle(tx: Queryable): Promise<KstDay | null> {
  const queued = await activeSettlementDays(tx);
  let last = (await lastSettledDay(tx)) ?? queued[0] ?? null;
  for (const day of queued) if (last !== null && day === addDays(last, 1)) last = day;
  return last;
}

/** The completed run of a day on which nothing has changed since, or undefined when there is work to do. */
async function unchangedRun(tx: Queryable, day: KstDay, job: Job): Promise<Run | undefined> {
  if ((await dirtySlices(tx, day)).length > 0 && job !== 'settlement') return undefined;
  const settles = firstPhase(job) === 'settlement' || nextPhase(job, 'statistics') === 'settlement';
  if (settles && !(await isSettled(tx, day))) return undefined;
  if (!(await hasStatistics(tx, day))) return undefined;
  if (settles && (await daysWithNewerStatistics(tx)).includes(day)) return undefined;
  return latestCompletedRun(tx, day, job);
}

/** A run by id, for its view. */
export async function getRun(context: Context, runId: string): Promise<Run | undefined> {
  return findRun(context.database.primary, runId);
}
