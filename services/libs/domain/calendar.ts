import type { Branded } from './brand.js';
import { DomainError } from './errors.js';

/** A calendar date in Asia/Seoul (UTC+9, no daylight saving), as `YYYY-MM-DD`, 1970-01-01 to 9999-12-31. Sorts as text. */
export type KstDay = Branded<string, 'KstDay'>;
/** An ISO 8601 week, Monday to Sunday, as `YYYY-Www`. Sorts as text. */
export type IsoWeek = Branded<string, 'IsoWeek'>;
/** A calendar month in Asia/Seoul, as `YYYY-MM`. Sorts as text. */
export type Month = Branded<string, 'Month'>;

/** Both ends inclusive. */
export interface DayRange {
  readonly from: KstDay;
  readonly to: KstDay;
}

export const PERIOD_KINDS = ['daily', 'weekly', 'monthly'] as const;
export type PeriodKind = (typeof PERIOD_KINDS)[number];

/** A whole day, ISO week or month in Asia/Seoul; `from` and `to` are both inclusive. */
export interface Period extends DayRange {
  readonly kind: PeriodKind;
}

const DAY_MS = 86_400_000;
const KST_OFFSET_MS = 9 * 3_600_000;
const MIN_YEAR = 1970;
const MIN_DAY_NUMBER = 0;
const MAX_DAY_NUMBER = dayNumberOfCivil(9999, 12, 31);

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "days_from_civil"). */
function dayNumberOfCivil(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(shiftedYear / 400);
  const yearOfEra = shiftedYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of `dayNumberOfCivil` (H. Hinnant, "civil_from_days"). */
function civilOfDayNumber(dayNumber: number): Civil {
  const shifted = dayNumber + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** Instants that are asked for together mostly lie on one day. */
let latest: { readonly number: number; readonly day: KstDay } | undefined;

function dayOfNumber(dayNumber: number): KstDay {
  if (latest?.number === dayNumber) return latest.day;
  if (!(dayNumber >= MIN_DAY_NUMBER && dayNumber <= MAX_DAY_NUMBER)) {
    throw new DomainError('DAY_OUT_OF_RANGE', 'The day is outside 1970-01-01 to 9999-12-31.');
  }
  const { year, month, day } = civilOfDayNumber(dayNumber);
  latest = { number: dayNumber, day: `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}` as KstDay };
  return latest.day;
}

function dayNumberOf(day: KstDay): number {
  return dayNumberOfCivil(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10)));
}

/** 0 = Monday … 6 = Sunday; 1970-01-01 was a Thursday. */
function weekdayOf(dayNumber: number): number {
  return (((dayNumber + 3) % 7) + 7) % 7;
}

function daysInMonth(year: number, month: number): number {
  const next = month === 12 ? dayNumberOfCivil(year + 1, 1, 1) : dayNumberOfCivil(year, month + 1, 1);
  return next - dayNumberOfCivil(year, month, 1);
}

function isCivilDate(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

/**
 * Parses `YYYY-MM-DD`, exactly: no spaces, no other digits, only days that exist, years 1970–9999.
 * @throws DomainError INVALID_DAY with `field`.
 */
export function parseKstDay(text: unknown, field = 'date'): KstDay {
  const match = typeof text === 'string' ? /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) : null;
  const year = Number(match?.[1]);
  if (!match || year < MIN_YEAR || !isCivilDate(year, Number(match[2]), Number(match[3]))) {
    throw new DomainError('INVALID_DAY', 'Must be an existing date as YYYY-MM-DD, from 1970-01-01.', { field });
  }
  return match[0] as KstDay;
}

/**
 * The date in Asia/Seoul at an instant (milliseconds since 1970-01-01T00:00:00Z).
 * @throws DomainError DAY_OUT_OF_RANGE outside 1970–9999, or when the instant is not a finite number.
 */
export function kstDayOf(instantMs: number): KstDay {
  return dayOfNumber(Math.floor((instantMs + KST_OFFSET_MS) / DAY_MS));
}

/**
 * The day `count` days later (earlier when negative; a whole number).
 * @throws DomainError DAY_OUT_OF_RANGE outside 1970–9999 or when `count` is not a whole number.
 */
export function addDays(day: KstDay, count: number): KstDay {
  return dayOfNumber(Number.isInteger(count) ? dayNumberOf(day) + count : Number.NaN);
}

/** How many days lie from `from` to `to`: 1 for tomorrow, negative when `to` is earlier. */
export function daysBetween(from: KstDay, to: KstDay): number {
  return dayNumberOf(to) - dayNumberOf(from);
}

/** −1, 0 or 1 as `a` is before, the same as, or after `b`; fit for `Array.sort`. */
export function compareDays(a: KstDay, b: KstDay): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The instant (ms) of 00:00 in Asia/Seoul on that day; the first instant that belongs to it. */
export function startOfDayMs(day: KstDay): number {
  return dayNumberOf(day) * DAY_MS - KST_OFFSET_MS;
}

/** The instant (ms) at which the day is over: 00:00 of the next day. Exclusive: it does not belong to the day. */
export function endOfDayMs(day: KstDay): number {
  return startOfDayMs(day) + DAY_MS;
}

/** Every day from `from` to `to`, both inclusive, in order; nothing when `from` is after `to`. */
export function* daysOf(from: KstDay, to: KstDay): Generator<KstDay, void, undefined> {
  const last = dayNumberOf(to);
  for (let dayNumber = dayNumberOf(from); dayNumber <= last; dayNumber += 1) yield dayOfNumber(dayNumber);
}

function weekOfDayNumber(dayNumber: number): IsoWeek {
  const thursday = dayNumber - weekdayOf(dayNumber) + 3;
  const { year } = civilOfDayNumber(thursday);
  const week = Math.floor((thursday - dayNumberOfCivil(year, 1, 1)) / 7) + 1;
  return `${pad(year, 4)}-W${pad(week, 2)}` as IsoWeek;
}

/** The Monday of week `week` of the ISO year `year`; January 4 is always in week 1. */
function mondayNumberOf(year: number, week: number): number {
  const january4 = dayNumberOfCivil(year, 1, 4);
  return january4 - weekdayOf(january4) + (week - 1) * 7;
}

function isWholeWeekInRange(mondayNumber: number): boolean {
  return mondayNumber >= MIN_DAY_NUMBER && mondayNumber + 6 <= MAX_DAY_NUMBER;
}

/**
 * Parses `YYYY-Www`, exactly; only weeks that exist (W53 only in long years) and lie wholly within 1970–9999.
 * @throws DomainError INVALID_WEEK with `field`.
 */
export function parseIsoWeek(text: unknown, field = 'week'): IsoWeek {
  const match = typeof text === 'string' ? /^(\d{4})-W(\d{2})$/.exec(text) : null;
  if (match) {
    const monday = mondayNumberOf(Number(match[1]), Number(match[2]));
    if (isWholeWeekInRange(monday) && weekOfDayNumber(monday) === match[0]) return match[0] as IsoWeek;
  }
  throw new DomainError('INVALID_WEEK', 'Must be an existing ISO week as YYYY-Www, from 1970-W02.', { field });
}

/**
 * The ISO week that contains the day.
 * @throws DomainError DAY_OUT_OF_RANGE for the few days whose week is cut by the range's ends (1970-01-01…04, 9999-12-27…31).
 */
export function weekOf(day: KstDay): IsoWeek {
  const dayNumber = dayNumberOf(day);
  if (!isWholeWeekInRange(dayNumber - weekdayOf(dayNumber))) {
    throw new DomainError('DAY_OUT_OF_RANGE', 'The week of the day is not wholly within 1970 to 9999.');
  }
  return weekOfDayNumber(dayNumber);
}

/** Monday and Sunday of the week. */
export function weekRange(week: IsoWeek): DayRange {
  const monday = mondayNumberOf(Number(week.slice(0, 4)), Number(week.slice(6, 8)));
  return { from: dayOfNumber(monday), to: dayOfNumber(monday + 6) };
}

/**
 * Parses `YYYY-MM`, exactly, years 1970–9999.
 * @throws DomainError INVALID_MONTH with `field`.
 */
export function parseMonth(text: unknown, field = 'month'): Month {
  const match = typeof text === 'string' ? /^(\d{4})-(\d{2})$/.exec(text) : null;
  const month = Number(match?.[2]);
  if (!match || Number(match[1]) < MIN_YEAR || month < 1 || month > 12) {
    throw new DomainError('INVALID_MONTH', 'Must be a month as YYYY-MM, from 1970-01.', { field });
  }
  return match[0] as Month;
}

/** The calendar month that contains the day. */
export function monthOf(day: KstDay): Month {
  return day.slice(0, 7) as Month;
}

/** First and last day of the month. */
export function monthRange(month: Month): DayRange {
  const lastDay = daysInMonth(Number(month.slice(0, 4)), Number(month.slice(5, 7)));
  return { from: `${month}-01` as KstDay, to: `${month}-${pad(lastDay, 2)}` as KstDay };
}

/**
 * Parses the name of a kind of period.
 * @throws DomainError INVALID_PERIOD_KIND with `field`.
 */
export function parsePeriodKind(text: unknown, field = 'kind'): PeriodKind {
  const kind = PERIOD_KINDS.find((candidate) => candidate === text);
  if (kind === undefined) {
    throw new DomainError('INVALID_PERIOD_KIND', `Must be one of ${PERIOD_KINDS.join(', ')}.`, { field });
  }
  return kind;
}

/**
 * Parses the text that names a period of that kind: a day, an ISO week or a month.
 * @throws DomainError INVALID_DAY, INVALID_WEEK or INVALID_MONTH with field `date`, `week` or `month`.
 */
export function periodOf(kind: PeriodKind, text: unknown): Period {
  switch (kind) {
    case 'daily': {
      const day = parseKstDay(text);
      return { kind, from: day, to: day };
    }
    case 'weekly':
      return { kind, ...weekRange(parseIsoWeek(text)) };
    case 'monthly':
      return { kind, ...monthRange(parseMonth(text)) };
  }
}

/**
 * The period of that kind that contains the day.
 * @throws DomainError DAY_OUT_OF_RANGE as `weekOf`.
 */
export function periodContaining(kind: PeriodKind, day: KstDay): Period {
  switch (kind) {
    case 'daily':
      return { kind, from: day, to: day };
    case 'weekly':
      return { kind, ...weekRange(weekOf(day)) };
    case 'monthly':
      return { kind, ...monthRange(monthOf(day)) };
  }
}

/** The text that names the period, which `periodOf` reads back: `2026-11-22`, `2026-W47` or `2026-11`. */
export function formatPeriod(period: Period): string {
  switch (period.kind) {
    case 'daily':
      return period.from;
    case 'weekly':
      return weekOf(period.from);
    case 'monthly':
      return monthOf(period.from);
  }
}

/** Whether the last day of the period has ended in Asia/Seoul at `nowMs`. */
export function isOver(period: DayRange, nowMs: number): boolean {
  return nowMs >= endOfDayMs(period.to);
}

/** The latest period of that kind that is over at `nowMs`. */
export function latestPeriodOver(kind: PeriodKind, nowMs: number): Period {
  return periodContaining(kind, addDays(periodContaining(kind, kstDayOf(nowMs)).from, -1));
}

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** The form in which most programs write instants; read in a tenth of the time of the general one. */
const UTC_MILLISECONDS = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** The date read last, and the instant (ms) at which it begins in UTC; NaN when there is no such date. */
let latestDate = { text: '', startMs: Number.NaN };

function startOfDateMs(text: string): number {
  if (latestDate.text === text) return latestDate.startMs;
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  const exists = year >= MIN_YEAR && isCivilDate(year, month, day);
  latestDate = { text, startMs: exists ? dayNumberOfCivil(year, month, day) * DAY_MS : Number.NaN };
  return latestDate.startMs;
}

/** Two digits of the text as a number. */
function twoDigitsAt(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * ZERO;
}

const ZERO = '0'.charCodeAt(0);

/** @returns NaN for a text in another form, or a date that does not exist */
function readUtcMilliseconds(text: string): number {
  if (!UTC_MILLISECONDS.test(text)) return Number.NaN;
  const minutes = twoDigitsAt(text, 11) * 60 + twoDigitsAt(text, 14);
  const milliseconds = twoDigitsAt(text, 20) * 10 + text.charCodeAt(22) - ZERO;
  return startOfDateMs(text.slice(0, 10)) + (minutes * 60 + twoDigitsAt(text, 17)) * 1_000 + milliseconds;
}

/**
 * Parses an RFC 3339 instant with its offset (`Z` or `±hh:mm`) to milliseconds since 1970-01-01T00:00:00Z.
 * Fractions finer than a millisecond are cut off; leap seconds and dates that do not exist are refused.
 * @throws DomainError INVALID_INSTANT with `field`.
 */
export function parseInstant(text: unknown, field = 'watchedAt'): number {
  const instantMs = typeof text === 'string' ? readUtcMilliseconds(text) : Number.NaN;
  if (!Number.isNaN(instantMs)) return instantMs;
  const match = typeof text === 'string' ? INSTANT.exec(text) : null;
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1, 7).map(Number) as number[];
  const offsetHours = Number(match?.[9] ?? 0);
  const offsetMinutes = Number(match?.[10] ?? 0);
  if (
    year === undefined ||
    month === undefined ||
    day === undefined ||
    hour === undefined ||
    minute === undefined ||
    second === undefined ||
    year < MIN_YEAR ||
    !isCivilDate(year, month, day) ||
    hour > 23 ||
    minute > 59 ||
    second > 59 ||
    offsetHours > 23 ||
    offsetMinutes > 59
  ) {
    throw new DomainError('INVALID_INSTANT', 'Must be an RFC 3339 instant, such as 2026-11-21T15:00:00Z.', { field });
  }
  const milliseconds = Number((match?.[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offsetMs = (match?.[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * 60_000;
  const timeOfDayMs = ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds;
  return dayNumberOfCivil(year, month, day) * DAY_MS + timeOfDayMs - offsetMs;
}

/**
 * Writes an instant (ms) as RFC 3339 in UTC with milliseconds: `2026-11-21T15:00:00.000Z`.
 * @throws DomainError DAY_OUT_OF_RANGE outside the years 1970–9999.
 */
export function formatInstant(instantMs: number): string {
  const date = dayOfNumber(Math.floor(instantMs / DAY_MS));
  const ofDayMs = Math.floor(instantMs) - Math.floor(instantMs / DAY_MS) * DAY_MS;
  const hour = Math.floor(ofDayMs / 3_600_000);
  const minute = Math.floor(ofDayMs / 60_000) % 60;
  const second = Math.floor(ofDayMs / 1_000) % 60;
  return `${date}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}.${pad(ofDayMs % 1_000, 3)}Z`;
}
