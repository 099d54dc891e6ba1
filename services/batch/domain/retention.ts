import { addDays, DomainError, type KstDay } from '#domain';

/** An event is accepted for 35 days after it happened; the day it is of may have begun a day before. */
export const KEEP_DAYS_MIN = 37;

/**
 * The first day whose raw events are kept.
 * @throws DomainError RETENTION_TOO_SHORT when late events may still come for a day before it
 */
export function firstKeptDay({ today, keepDays }: { today: KstDay; keepDays: number }): KstDay {
  if (keepDays >= KEEP_DAYS_MIN) return addDays(today, -keepDays);
  const detail = `Raw events are kept for at least ${KEEP_DAYS_MIN} days, as late ones may come for 35.`;
  throw new DomainError('RETENTION_TOO_SHORT', detail, { field: 'keepDays' });
}

/** A day with raw events before the first that is kept, and what speaks against dropping it. */
export interface OldDay {
  readonly day: KstDay;
  /** Events in its completed statistics; null when they never were. */
  readonly countedEvents: bigint | null;
  readonly isSettled: boolean;
  readonly isDirty: boolean;
  readonly isRunning: boolean;
}

/** Why the day's raw events are still needed, or undefined when they are not. */
export function reasonToKeep(day: OldDay): string | undefined {
  if (day.countedEvents === null) return 'it has no completed statistics';
  if (!day.isSettled) return 'it is not settled';
  if (day.isDirty) return 'it has events that no run has covered';
  if (day.isRunning) return 'a run of it is under way';
  return undefined;
}
