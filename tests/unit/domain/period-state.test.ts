import { addDays, daysOf, endOfDayMs, type KstDay, periodOf, periodStateOf, startOfDayMs } from '#domain';

const MONDAY = '2026-11-16' as KstDay;
const week = periodOf('weekly', '2026-W47');
const completedAt = (day: KstDay) => endOfDayMs(day) + 600_000;
const completed = (...days: KstDay[]) => new Map(days.map((day) => [day, completedAt(day)]));
const WHOLE_WEEK = [...daysOf(week.from, week.to)];
const later = endOfDayMs(week.to) + 3_600_000;

describe('a period', () => {
  test('is final when it is over and every day is complete; its data reaches the latest completion', () => {
    const state = periodStateOf({ period: week, nowMs: later, completed: completed(...WHOLE_WEEK), openedOn: MONDAY });
    expect(state).toEqual({ final: true, asOfMs: completedAt(week.to) });
  });

  test('is not final while a day is missing; its data reaches the start of that day', () => {
    const days = WHOLE_WEEK.filter((day) => day !== addDays(MONDAY, 2));
    const state = periodStateOf({ period: week, nowMs: later, completed: completed(...days), openedOn: MONDAY });
    expect(state).toEqual({ final: false, asOfMs: startOfDayMs(addDays(MONDAY, 2)) });
  });

  test('is not final before it is over', () => {
    const nowMs = endOfDayMs(week.to) - 1;
    const days = completed(...WHOLE_WEEK.slice(0, 6));
    expect(periodStateOf({ period: week, nowMs, completed: days, openedOn: MONDAY })).toEqual({
      final: false,
      asOfMs: startOfDayMs(week.to),
    });
  });

  test('waits for nothing before the books opened', () => {
    const opened = addDays(MONDAY, 5);
    const days = completed(opened, addDays(MONDAY, 6));
    expect(periodStateOf({ period: week, nowMs: later, completed: days, openedOn: opened }).final).toBe(true);
  });

  test('is not final before there are books', () => {
    const state = periodStateOf({ period: week, nowMs: later, completed: new Map(), openedOn: null });
    expect(state).toEqual({ final: false, asOfMs: startOfDayMs(MONDAY) });
  });

  test('never reaches beyond now', () => {
    const nowMs = startOfDayMs(MONDAY) - 1;
    expect(periodStateOf({ period: week, nowMs, completed: new Map(), openedOn: null }).asOfMs).toBe(nowMs);
  });
});
