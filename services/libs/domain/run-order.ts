import { addDays, compareDays, daysOf, type KstDay } from './calendar.js';
import { DomainError } from './errors.js';

export interface SettlementOrderInput {
  readonly day: KstDay;
  /** The last day that was settled for the first time; null when none ever was. */
  readonly lastSettledDay: KstDay | null;
  /** Today in Asia/Seoul. */
  readonly today: KstDay;
}

/**
 * What settling the day means. `opens-books`: the first day ever. `next`: the day after the last settled one. `adjust`:
 * a day at or before the last settled one, whose events are late and whose postings are adjustments.
 */
export type SettlementStep = { readonly kind: 'opens-books' | 'next' | 'adjust' };

/**
 * Whether the day may be settled now. Settlement rule 4, "days settle in order".
 * @throws DomainError DAY_NOT_OVER for today or later; SETTLEMENT_GAP when a day before it was never settled, with
 * `details.firstMissingDay` (also in the message).
 */
export function checkSettlementOrder({ day, lastSettledDay, today }: SettlementOrderInput): SettlementStep {
  if (compareDays(day, today) >= 0) {
    throw new DomainError('DAY_NOT_OVER', `${day} is not over yet.`, { field: 'date' });
  }
  if (lastSettledDay === null) return { kind: 'opens-books' };
  if (compareDays(day, lastSettledDay) <= 0) return { kind: 'adjust' };
  const firstMissingDay = addDays(lastSettledDay, 1);
  if (day !== firstMissingDay) {
    throw new DomainError('SETTLEMENT_GAP', `${day} cannot be settled before ${firstMissingDay}, which is not.`, {
      field: 'date',
      details: { firstMissingDay },
    });
  }
  return { kind: 'next' };
}

export interface CatchUpInput {
  readonly lastSettledDay: KstDay | null;
  /** The earliest day with an event; null when there are none. */
  readonly earliestEventDay: KstDay | null;
  /** The last day that is over. */
  readonly yesterday: KstDay;
}

/**
 * The days that the scheduled run must still settle, in order, empty ones included, up to yesterday. When nothing was
 * ever settled: from the earliest day with events, or just yesterday when no day that is over has any.
 */
export function daysToCatchUp({ lastSettledDay, earliestEventDay, yesterday }: CatchUpInput): KstDay[] {
  if (lastSettledDay !== null) {
    // Compared first: the day after the last settled one need not exist when nothing is missing.
    return compareDays(lastSettledDay, yesterday) >= 0 ? [] : [...daysOf(addDays(lastSettledDay, 1), yesterday)];
  }
  const hasEvents = earliestEventDay !== null && compareDays(earliestEventDay, yesterday) <= 0;
  return hasEvents ? [...daysOf(earliestEventDay, yesterday)] : [yesterday];
}
