import { addDays, type IsoWeek, type KstDay, kstDayOf, SLICE_COUNT, startOfDayMs, weekOf, weekRange } from '#domain';
import { inTransaction } from '#lib/database';
import { readOpenedOn } from '#lib/results';
import { queueMail } from '../repositories/mail-repository.js';
import {
  claimRun,
  completeRun,
  finishSlice,
  postponeRun,
  requestRun,
  type StatementRun,
  wasMade,
} from '../repositories/run-repository.js';
import { claimSlot, openSlots } from '../repositories/schedule-repository.js';
import type { Context } from './context.js';
import { makeStatements } from './make-statements.js';
import { type NotReady, readCreators, readWeek, type WeekSources } from './week-sources.js';

const LEASE_MS = 20_000;
/** How long a run whose week is not settled waits before it looks again. */
const WAIT_MS = 5_000;
/** The schedule: Monday 09:00, Asia/Seoul. */
const DUE_AFTER_MIDNIGHT_MS = 9 * 3_600_000;

/** Asks for the statements and mails of a week. @returns the run that makes them */
export async function requestStatements(context: Context, week: IsoWeek, requestedBy: string): Promise<StatementRun> {
  const run = await inTransaction(context.database.primary, (tx) => requestRun(tx, week, requestedBy));
  context.wake();
  return run;
}

/** Whether the week can have statements; undefined when it can. */
export async function notReady(context: Context, week: IsoWeek): Promise<NotReady | undefined> {
  const nowMs = context.now();
  const sources = await context.reader.read((db) => readWeek(db, { week, nowMs }));
  return typeof sources === 'string' ? sources : undefined;
}

/**
 * Acts once on every week that is due and that no run has made, the oldest first, however often and on however many
 * replicas it is called: a Monday on which the system was down is made good, and so are several.
 */
export async function actOnSchedule(context: Context): Promise<void> {
  const { primary } = context.database;
  const openedOn = await readOpenedOn(primary);
  if (openedOn === null) return;
  const weeks = dueWeeks(context.now(), { openedOn, weeksMax: context.config.REPORT_CATCH_UP_WEEKS });
  for (const week of await openSlots(primary, weeks)) {
    await inTransaction(primary, async (tx) => {
      if ((await claimSlot(tx, week)) && !(await wasMade(tx, week))) await requestRun(tx, week, 'schedule');
    });
    context.wake();
  }
}

/**
 * The weeks since the books opened whose Monday, 09:00 (Asia/Seoul), has passed at the instant: those before it, the
 * latest `weeksMax` of them, the oldest first.
 */
export function dueWeeks(
  nowMs: number,
  { openedOn, weeksMax }: { openedOn: KstDay; weeksMax: number },
): readonly IsoWeek[] {
  const { from: monday } = weekRange(weekOf(kstDayOf(nowMs)));
  const isDue = nowMs >= startOfDayMs(monday) + DUE_AFTER_MIDNIGHT_MS;
  const weeks: IsoWeek[] = [];
  for (let day = addDays(monday, isDue ? -1 : -8); day >= openedOn && weeks.length < weeksMax; day = addDays(day, -7)) {
    weeks.unshift(weekOf(day));
  }
  return weeks;
}

/** Works on one run that nobody works on. @returns whether there was one */
export async function workOnRun(context: Context): Promise<boolean> {
  const { primary } = context.database;
  const run = await inTransaction(primary, (tx) => claimRun(tx, LEASE_MS));
  if (run === undefined) return false;
  try {
    const nowMs = context.now();
    const sources = await context.reader.read((db) => readWeek(db, { week: run.week, nowMs }));
    if (typeof sources === 'string') await postponeRun(primary, run, { error: sources, delayMs: WAIT_MS });
    else await makeAll(context, run, sources);
  } catch (error) {
    context.logger.warn({ err: error, week: run.week }, 'the statements could not be made, trying again');
    await postponeRun(primary, run, { error: (error as Error).message, delayMs: WAIT_MS });
  }
  return true;
}

/** A slice of creators is one transaction: statements, their mails and events, and how far the run is. */
async function makeAll(context: Context, run: StatementRun, sources: WeekSources): Promise<void> {
  const { primary } = context.database;
  for (let slice = run.nextSlice; slice < SLICE_COUNT; slice += 1) {
    const creators = await context.reader.read((db) => readCreators(db, sources, slice));
    const isOurs = await inTransaction(primary, async (tx) => {
      const statements = await makeStatements(tx, sources, creators);
      for (const { creatorId, revision } of statements) await queueMail(tx, { creatorId, week: run.week, revision });
      const made = statements.filter((statement) => statement.isNew).length;
      const isHeld = await finishSlice(tx, run, { slice, creators: creators.size, made, leaseMs: LEASE_MS });
      if (!isHeld) throw new LostRun();
      return true;
    }).catch((error: unknown) => {
      if (error instanceof LostRun) return false;
      throw error;
    });
    if (!isOurs) return;
    context.wake();
  }
  await completeRun(primary, run);
}

/** The lease of the run ran out and somebody else goes on with it. */
class LostRun extends Error {}
