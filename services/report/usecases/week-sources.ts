import {
  type BillLine,
  daysOf,
  formatInstant,
  type IsoWeek,
  isOver,
  type KstDay,
  periodOf,
  periodStateOf,
  weekRange,
} from '#domain';
import type { Queryable } from '#lib/database';
import {
  type BillDays,
  type Books,
  type RankedVideo,
  readBillLines,
  readBooks,
  readSliceBillLines,
  readTitles,
  readTop,
  readTopState,
  readVersion,
  settledDays,
} from '#lib/results';
import { type Settlement, type StatementPlace, settlementOf } from '../domain/statement.js';

/** Why a week has no statements yet. */
export type NotReady =
  /** It is not over. */
  | 'NOT_OVER'
  /** Not all of its days are settled. */
  | 'NOT_SETTLED'
  /** Its Top 5 is being made. */
  | 'TOP_PENDING';

/** What all statements of a week have in common. */
export interface WeekSources {
  readonly week: IsoWeek;
  readonly days: BillDays;
  /** RFC 3339. */
  readonly asOf: string;
  readonly topByViews: readonly StatementPlace[];
  readonly topByPlayTime: readonly StatementPlace[];
}

/** Reads what a week's statements are made from, or why they cannot be made yet. */
export async function readWeek(
  db: Queryable,
  { week, nowMs }: { week: IsoWeek; nowMs: number },
): Promise<WeekSources | NotReady> {
  const range = weekRange(week);
  if (!isOver(range, nowMs)) return 'NOT_OVER';
  const books = await readBooks(db, await readVersion(db));
  const state = periodStateOf({
    period: range,
    nowMs,
    completed: books.settlement,
    openedOn: books.settledFrom,
  });
  if (!state.final) return 'NOT_SETTLED';
  const days = [...daysOf(range.from, range.to)];
  if (!(await isTopReady(db, { week, books, days }))) return 'TOP_PENDING';
  const top = await readTop(db, periodOf('weekly', week));
  return {
    week,
    days: { settled: settledDays(books, days), billed: days },
    asOf: formatInstant(state.asOfMs),
    topByViews: top.byViews.map(placeOf),
    topByPlayTime: top.byPlayTime.map(placeOf),
  };
}

async function isTopReady(
  db: Queryable,
  { week, books, days }: { week: IsoWeek; books: Books; days: readonly KstDay[] },
): Promise<boolean> {
  if (!days.some((day) => books.statistics.has(day))) return true;
  return (await readTopState(db, periodOf('weekly', week)))?.final === true;
}

function placeOf({ rank, videoId, title, amount }: RankedVideo): StatementPlace {
  return { rank, videoId: String(videoId), title, amount: Number(amount) };
}

/** A creator's part of the week; undefined without any activity. */
export async function readCreator(
  db: Queryable,
  sources: WeekSources,
  creatorId: bigint,
): Promise<Settlement | undefined> {
  const lines = await readBillLines(db, creatorId, sources.days);
  if (lines.length === 0) return undefined;
  return (await settlements(db, new Map([[creatorId, lines]]))).get(creatorId);
}

/** The part of every creator of a slice who had any activity in the week. */
export async function readCreators(
  db: Queryable,
  sources: WeekSources,
  creatorSlice: number,
): Promise<Map<bigint, Settlement>> {
  return settlements(db, await readSliceBillLines(db, creatorSlice, sources.days));
}

async function settlements(
  db: Queryable,
  creators: ReadonlyMap<bigint, readonly BillLine[]>,
): Promise<Map<bigint, Settlement>> {
  const videoIds = [...creators.values()].flat().map((line) => line.videoId);
  const titles = await readTitles(db, videoIds);
  return new Map([...creators].map(([creatorId, lines]) => [creatorId, settlementOf(lines, titles)]));
}
