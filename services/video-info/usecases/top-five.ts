import {
  DomainError,
  daysOf,
  formatPeriod,
  type KstDay,
  kstDayOf,
  latestPeriodOver,
  type Period,
  type PeriodKind,
  periodStateOf,
  startOfDayMs,
} from '#domain';
import { BehindError } from '#lib/database';
import { type Books, type RankedVideo, readTop, readTopState, type TopLists } from '#lib/results';
import type { Answer, ReadContext, VersionedReads } from './versioned-reads.js';

export interface TopFiveView {
  readonly period: Period;
  readonly final: boolean;
  readonly asOfMs: number;
  readonly byViews: readonly Place[];
  readonly byPlayTime: readonly Place[];
}

/** `amount`: views, or seconds of play time. */
export interface Place {
  readonly rank: number;
  readonly videoId: string;
  readonly title: string;
  readonly amount: number;
}

export interface TopFiveOptions {
  readonly reads: VersionedReads;
  /** Has the running day's lists brought up to date. @returns the instant (ms) that they reach; null when unknown */
  readonly refreshRunning: () => Promise<number | null>;
  readonly now: () => number;
}

/** @throws DomainError INVALID_DAY, INVALID_WEEK or INVALID_MONTH for one that has not begun */
export function requireBegun(period: Period, nowMs: number): void {
  if (period.from <= kstDayOf(nowMs)) return;
  const { code, field } = NAMES[period.kind];
  throw new DomainError(code, `${formatPeriod(period)} has not begun yet.`, { field });
}

const NAMES = {
  daily: { code: 'INVALID_DAY', field: 'date' },
  weekly: { code: 'INVALID_WEEK', field: 'week' },
  monthly: { code: 'INVALID_MONTH', field: 'month' },
} as const;

/**
 * The latest period of that kind that is final and has a completed day; the latest that is over when there is none.
 * @param days the completed days in order
 */
export function latestFinalPeriod(
  kind: PeriodKind,
  days: { completed: ReadonlyMap<KstDay, number>; openedOn: KstDay | null },
  nowMs: number,
): Period {
  const latestOver = latestPeriodOver(kind, nowMs);
  const [first] = days.completed.keys();
  if (first === undefined) return latestOver;
  for (let period = latestOver; period.to >= first; period = periodBefore(period)) {
    const isEmpty = ![...daysOf(period.from, period.to)].some((day) => days.completed.has(day));
    if (!isEmpty && periodStateOf({ period, nowMs, ...days }).final) return period;
  }
  return latestOver;
}

function periodBefore(period: Period): Period {
  return latestPeriodOver(period.kind, startOfDayMs(period.from));
}

const statisticsOf = (books: Books) => ({ completed: books.statistics, openedOn: books.statisticsFrom });

/** The Top 5 of a period, the latest final one when none is named. */
export async function topFive(
  options: TopFiveOptions,
  kind: PeriodKind,
  period: Period | undefined,
): Promise<Answer<TopFiveView>> {
  const nowMs = options.now();
  if (period !== undefined) requireBegun(period, nowMs);
  const isToday = kind === 'daily' && period?.from === kstDayOf(nowMs);
  const reachedMs = isToday ? await options.refreshRunning() : null;
  const key = `top5:${kind}:${period?.from ?? `latest@${kstDayOf(nowMs)}`}`;
  return options.reads.answer(key, async (context) => {
    const chosen = period ?? latestFinalPeriod(kind, statisticsOf(context.books), nowMs);
    const value = await readTopFive(context, chosen, nowMs);
    if (reachedMs !== null && value.asOfMs < reachedMs) throw new BehindError('the running lists are not here yet');
    return { value, cacheable: value.final };
  });
}

async function readTopFive({ db, books }: ReadContext, period: Period, nowMs: number): Promise<TopFiveView> {
  const state = periodStateOf({ period, nowMs, ...statisticsOf(books) });
  const isComplete = period.kind === 'daily' && books.statistics.has(period.from);
  if (isComplete) return viewOf(period, state, await readTop(db, period));
  const stored = await readTopState(db, period);
  if (stored !== undefined) return viewOf(period, stored, await readTop(db, period));
  const hasData = [...books.statistics.keys()].some((day) => day >= period.from && day <= period.to);
  // Days are complete, but their lists are being made: nothing of the period is in this answer.
  const empty = hasData ? { final: false, asOfMs: Math.min(nowMs, startOfDayMs(period.from)) } : state;
  return viewOf(period, empty, { byViews: [], byPlayTime: [] });
}

function viewOf(period: Period, state: { final: boolean; asOfMs: number }, lists: TopLists): TopFiveView {
  const place = (video: RankedVideo): Place => ({
    rank: video.rank,
    videoId: String(video.videoId),
    title: video.title,
    amount: Number(video.amount),
  });
  return {
    period,
    final: state.final,
    asOfMs: state.asOfMs,
    byViews: lists.byViews.map(place),
    byPlayTime: lists.byPlayTime.map(place),
  };
}
