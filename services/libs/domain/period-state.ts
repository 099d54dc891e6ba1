import { type DayRange, daysOf, endOfDayMs, isOver, type KstDay, startOfDayMs } from './calendar.js';

export interface PeriodStateInput {
  readonly period: DayRange;
  readonly nowMs: number;
  /** Completed days, at least those of the period, and when (ms) each was completed last. */
  readonly completed: ReadonlyMap<KstDay, number>;
  /** The day from which every day is to be completed; null before there is one. Nothing is waited for before it. */
  readonly openedOn: KstDay | null;
}

export interface PeriodState {
  /** The period is over and all of its days are complete. */
  readonly final: boolean;
  /**
   * The instant (ms) that its data reaches. Final: the latest completion of one of its days, the period's end when
   * it has none. Else: the start of its first day that is not complete.
   */
  readonly asOfMs: number;
}

/** Whether a period's results are final, and how far they reach. */
export function periodStateOf({ period, nowMs, completed, openedOn }: PeriodStateInput): PeriodState {
  const missing = firstMissingDay(period, completed, openedOn);
  if (missing !== undefined || !isOver(period, nowMs)) {
    const reachedMs = missing === undefined ? endOfDayMs(period.to) : startOfDayMs(missing);
    return { final: false, asOfMs: Math.min(reachedMs, nowMs) };
  }
  let asOfMs = endOfDayMs(period.to);
  for (const day of daysOf(period.from, period.to)) asOfMs = Math.max(asOfMs, completed.get(day) ?? 0);
  return { final: true, asOfMs };
}

function firstMissingDay(
  period: DayRange,
  completed: ReadonlyMap<KstDay, number>,
  openedOn: KstDay | null,
): KstDay | undefined {
  for (const day of daysOf(period.from, period.to)) {
    const isBeforeBooks = openedOn !== null && day < openedOn;
    if (!isBeforeBooks && !completed.has(day)) return day;
  }
  return undefined;
}
