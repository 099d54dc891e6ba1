import { daysOf, type KstDay } from '#domain';
import type { Queryable } from '#lib/database';
import { readOpenedOn } from '#lib/results';
import {
  type BooksReconciliation,
  type Difference,
  exactNumber,
  type Reconciliation,
} from '../domain/reconciliation.js';
import {
  checkAdjustments,
  checkCheckpoints,
  checkEntries,
  compareHeads,
  comparePositions,
  eventDays,
  recordedDays,
  sumBooks,
} from '../repositories/reconciliation-books.js';
import {
  checkAmounts,
  checkBilling,
  checkChains,
  checkLedger,
  compareEvents,
  compareStatisticsWithPostings,
  type StatisticTotals,
  sumPostings,
  sumStatistics,
} from '../repositories/reconciliation-day.js';
import { droppedEvents } from '../repositories/retention-repository.js';
import { isSettled } from '../repositories/settlement-repository.js';
import { readTariffs, tariffVersionOn } from '../repositories/tariff-repository.js';
import type { Context } from './context.js';

/**
 * Proves a day: raw events → counted → statistics → postings → positions → ledger, in one snapshot on the primary,
 * where every record is. The day's events are read once.
 */
export async function reconcile(context: Context, day: KstDay): Promise<Reconciliation> {
  const proof = await inSnapshot(context, async (db): Promise<Reconciliation> => {
    const statistics = await sumStatistics(db, day);
    const events = await eventsOf(db, day, statistics);
    const postings = await sumPostings(db, day);
    const ledger = await checkLedger(db, day);
    const settled = await isSettled(db, day);
    const tariffs = { tariffs: await readTariffs(db), version: await tariffVersionOn(db, day) };
    const differences: Difference[] = [
      ...events.differences,
      ...checkDay(day, { statistics, settled }),
      ...(settled || postings.count > 0n ? await compareStatisticsWithPostings(db, day) : []),
      ...(await checkAmounts(db, day, tariffs)),
      ...(await checkChains(db, day)),
      ...(await checkBilling(db, day)),
      ...ledger.differences,
    ];
    return {
      day,
      settled,
      events: exactNumber(events.events),
      counted: exactNumber(events.counted),
      excluded: exactNumber(events.events - events.counted),
      statistics: {
        videos: exactNumber(statistics.videos),
        views: exactNumber(statistics.views),
        playTimeSeconds: exactNumber(statistics.playTime),
        adViews: exactNumber(statistics.adViews),
        excluded: exactNumber(statistics.excluded),
      },
      postings: {
        count: exactNumber(postings.count),
        views: exactNumber(postings.views),
        adViews: exactNumber(postings.adViews),
        amount: exactNumber(postings.amount),
      },
      ledger: {
        entries: exactNumber(ledger.entries),
        creators: exactNumber(ledger.creators),
        amount: exactNumber(ledger.amount),
      },
      differences,
    };
  });
  context.metrics.differences.set(proof.differences.length);
  return proof;
}

/** The day's raw events against its statistics; where they are dropped, the number that was recorded then. */
async function eventsOf(db: Queryable, day: KstDay, statistics: StatisticTotals) {
  const dropped = await droppedEvents(db, day);
  if (dropped === null) return compareEvents(db, day);
  const stored = statistics.views + statistics.excluded;
  const detail = `${dropped} events when they were dropped, ${stored} in the statistics`;
  const differences: Difference[] = dropped === stored ? [] : [{ kind: 'events/statistics', detail, keys: { day } }];
  return { events: dropped, counted: dropped - statistics.excluded, differences };
}

/** The day itself: settled, with statistics that are complete and of as many events as their record says. */
function checkDay(
  day: KstDay,
  { statistics, settled }: { statistics: StatisticTotals; settled: boolean },
): Difference[] {
  const differences: Difference[] = [];
  const stored = statistics.views + statistics.excluded;
  if (!settled) differences.push({ kind: 'day/missing', detail: 'the day is not settled', keys: { day } });
  if (statistics.recordedEvents === null) {
    differences.push({ kind: 'statistics/day', detail: 'the day has no completed statistics', keys: { day } });
  } else if (statistics.recordedEvents !== stored) {
    const detail = `${statistics.recordedEvents} events recorded with the day, ${stored} in its statistics`;
    differences.push({ kind: 'statistics/day', detail, keys: { day } });
  }
  return differences;
}

/**
 * Proves what no single day shows: no day is missing, every chain and balance from its beginning to its end. Days are
 * proven one by one with `reconcile`.
 */
export async function reconcileBooks(context: Context): Promise<BooksReconciliation> {
  return inSnapshot(context, async (db) => {
    const openedOn = await readOpenedOn(db);
    const days = { ...(await recordedDays(db)), withEvents: await eventDays(db) };
    const lastSettledDay = days.settled.at(-1) ?? null;
    const isClosed = (day: KstDay) => lastSettledDay !== null && day <= lastSettledDay;
    // Nobody settles the days before the opening, but for their late events.
    const withEvents = days.withEvents.filter((day) => openedOn === null || day >= openedOn);
    const all = [...new Set([...days.settled, ...days.counted, ...days.posted, ...withEvents])].sort();
    const totals = await sumBooks(db);
    const differences: Difference[] = [
      ...missingDays({ openedOn, lastSettledDay, settled: days.settled, posted: days.posted }),
      ...(await comparePositions(db)),
      ...(await checkEntries(db)),
      ...(await compareHeads(db)),
      ...(await checkCheckpoints(db)),
      ...(await checkAdjustments(db)),
    ];
    const { postings, ledger } = totals;
    if (postings.count !== ledger.entries || postings.amount !== ledger.amount) {
      const detail = `${postings.count} postings of ${postings.amount} won, ${ledger.entries} entries of ${ledger.amount}`;
      differences.push({ kind: 'postings/ledger', detail, keys: {} });
    }
    return {
      openedOn,
      lastSettledDay,
      days: all.filter(isClosed),
      open: all.filter((day) => !isClosed(day)),
      postings: { count: exactNumber(postings.count), amount: exactNumber(postings.amount) },
      ledger: {
        entries: exactNumber(ledger.entries),
        creators: exactNumber(ledger.creators),
        amount: exactNumber(ledger.amount),
      },
      differences,
    };
  });
}

/**
 * From the day the books opened to the last settled one every day is settled, and so is each with postings. Earlier
 * days with events are the lifetime that came before the books; what arrives late for them is settled like any other.
 */
function missingDays(input: {
  openedOn: KstDay | null;
  lastSettledDay: KstDay | null;
  settled: readonly KstDay[];
  posted: readonly KstDay[];
}): Difference[] {
  const { openedOn, lastSettledDay } = input;
  if (lastSettledDay === null) return [];
  const settled = new Set(input.settled);
  const expected = openedOn === null ? [] : [...daysOf(openedOn, lastSettledDay)];
  return [...new Set([...expected, ...input.posted.filter((day) => day <= lastSettledDay)])]
    .filter((day) => !settled.has(day))
    .sort()
    .map((day) => ({ kind: 'day/missing', detail: 'the day is not settled, a later one is', keys: { day } }));
}

/** All reads see the same instant. */
async function inSnapshot<T>(context: Context, work: (db: Queryable) => Promise<T>): Promise<T> {
  const runner = context.database.primary.createQueryRunner();
  try {
    await runner.startTransaction('REPEATABLE READ');
    const result = await work(runner);
    await runner.commitTransaction();
    return result;
  } finally {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
  }
}
