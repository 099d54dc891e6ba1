import { endOfDayMs, type KstDay, periodStateOf, SLICE_COUNT } from '#domain';
import { fromDatetime, inTransaction, toDatetime } from '#lib/database';
import { Loop } from '#lib/loop';
import { readOpenedOn } from '#lib/results';
import { firstOf } from '../domain/top-lists.js';
import { hasStatistics } from '../repositories/statistic-repository.js';
import {
  claimRunningTop,
  claimWantedPeriod,
  completedDays,
  holdReadModel,
  raiseReadModel,
  runningTopOfSlice,
  runningTopState,
  storeTop,
  TOP_COUNT,
  type TopLists,
  topOfSlice,
  type WantedPeriod,
} from '../repositories/top-repository.js';
import { chooseReader } from './choose-reader.js';
import type { Context } from './context.js';

const CLAIM_MS = 60_000;
const PATIENCE_MS = 60_000;
const SLICES = Array.from({ length: SLICE_COUNT }, (_, slice) => slice);

/**
 * Builds the lists of one week or month that a completed day has made old, if there is one. Read on a replica, a slice
 * of videos at a time; a completion meanwhile raises `wanted` again, and the next call builds it anew.
 * @returns whether there was one
 */
export async function buildNextTop(context: Context): Promise<boolean> {
  const { primary } = context.database;
  const claimed = await inTransaction(primary, (tx) =>
    claimWantedPeriod(tx, { claimMs: CLAIM_MS, patienceMs: PATIENCE_MS }),
  );
  if (claimed === undefined) return false;
  await buildPeriod(context, claimed);
  return true;
}

async function buildPeriod(context: Context, { period, wanted }: WantedPeriod): Promise<void> {
  const { database } = context;
  const position = await database.dialect.currentPosition(database.primary);
  const reader = await chooseReader(context, position);
  const rows = await completedDays(reader);
  const completed = new Map(rows.map(({ day, completedAt }) => [day, fromDatetime(completedAt)]));
  const days = rows.map(({ day }) => day).filter((day) => day >= period.from && day <= period.to);
  const lists = await collect((slice) => topOfSlice(reader, days, slice));
  const openedOn = (await readOpenedOn(reader)) ?? rows[0]?.day ?? null;
  const state = periodStateOf({ period, nowMs: context.now(), completed, openedOn });
  await inTransaction(database.primary, async (tx) => {
    await raiseReadModel(tx);
    await storeTop(tx, { period, lists, built: wanted, final: state.final, asOf: toDatetime(state.asOfMs) });
  });
}

async function collect(topOf: (slice: number) => Promise<TopLists>): Promise<TopLists> {
  const all: TopLists[] = [];
  for (const slice of SLICES) all.push(await topOf(slice));
  return {
    views: firstOf(
      all.map((lists) => lists.views),
      TOP_COUNT,
    ),
    play_time: firstOf(
      all.map((lists) => lists.play_time),
      TOP_COUNT,
    ),
  };
}

/** The running day's lists, after {@link refreshRunningTop}. */
export interface RunningTop {
  readonly day: KstDay;
  /** UTC, as the database writes it; null while they are built for the first time. */
  readonly asOf: string | null;
}

/**
 * Brings the lists of the running day up to date when they are older than BATCH_RUNNING_TOP_MS, whoever asks however
 * often: one replica builds at a time, the others are told what there is.
 */
export async function refreshRunningTop(context: Context, nowMs: number): Promise<RunningTop> {
  const day = context.today();
  const { primary } = context.database;
  const state = await inTransaction(primary, async (tx) => {
    const known = await runningTopState(tx, day);
    const isFresh = known !== undefined && known.ageMs <= context.config.BATCH_RUNNING_TOP_MS;
    if (isFresh || known?.claimed === true) return { build: false, asOf: known.asOf };
    await claimRunningTop(tx, day, CLAIM_MS);
    return { build: true, asOf: known?.asOf ?? null };
  });
  if (!state.build) return { day, asOf: state.asOf };
  return { day, asOf: await buildRunningTop(context, day, nowMs) };
}

/** @returns the instant that the data reaches: that of the read position */
async function buildRunningTop(context: Context, day: KstDay, nowMs: number): Promise<string> {
  const { database } = context;
  const asOf = toDatetime(Math.min(nowMs, endOfDayMs(day)));
  const position = await database.dialect.currentPosition(database.primary);
  const reader = await chooseReader(context, position);
  const lists = await collect((slice) => runningTopOfSlice(reader, day, slice));
  await inTransaction(database.primary, async (tx) => {
    // Every completion raises it: a day that was completed meanwhile keeps its final lists.
    await holdReadModel(tx);
    if (!(await hasStatistics(tx, day))) {
      await storeTop(tx, { period: { kind: 'daily', from: day, to: day }, lists, built: 0, final: false, asOf });
    }
  });
  return asOf;
}

const LOOK_INTERVAL_MS = 1_000;

/** Builds what is wanted, again and again. Two replicas share the work by claims. */
export function createTopBuilder(context: Context): Loop {
  return new Loop({
    work: () => buildNextTop(context),
    intervalMs: LOOK_INTERVAL_MS,
    onError: (error) =>
      context.logger.warn({ err: error }, 'the lists of a week or month could not be built, trying again'),
  });
}
