import { addDays, daysOf, formatPeriod, type KstDay, startOfDayMs } from '#domain';
import { latestFinalPeriod } from '../../../services/video-info/usecases/top-five.js';

/** A Wednesday. */
const TODAY = '2026-11-18' as KstDay;
const nowMs = startOfDayMs(TODAY) + 1;
const completed = (...days: KstDay[]) => new Map(days.map((day): [KstDay, number] => [day, startOfDayMs(day)]));
const latest = (kind: 'daily' | 'weekly', days: KstDay[], openedOn: KstDay | null) =>
  formatPeriod(latestFinalPeriod(kind, { completed: completed(...days), openedOn }, nowMs));

const OPENED = '2026-11-05' as KstDay;
const ALL = [...daysOf(OPENED, addDays(TODAY, -1))];

describe('the period that is shown when none is named', () => {
  test('is the latest that is over and complete', () => {
    expect(latest('daily', ALL, OPENED)).toBe('2026-11-17');
    expect(latest('weekly', ALL, OPENED)).toBe('2026-W46');
  });

  test('is the one before while a day is missing', () => {
    const days = ALL.filter((day) => day !== '2026-11-15' && day !== '2026-11-17');
    expect(latest('daily', days, OPENED)).toBe('2026-11-16');
    expect(latest('weekly', days, OPENED)).toBe('2026-W45');
  });

  test('is the same when a late event of a day before the books opened was settled', () => {
    const days = ['2026-10-20' as KstDay, ...ALL];
    expect(latest('daily', days, OPENED)).toBe('2026-11-17');
    expect(latest('weekly', days, OPENED)).toBe('2026-W46');
  });

  test('is the latest that is over when nothing is final', () => {
    expect(latest('daily', [], null)).toBe('2026-11-17');
    expect(latest('weekly', ['2026-11-16' as KstDay], '2026-11-16' as KstDay)).toBe('2026-W46');
  });
});
