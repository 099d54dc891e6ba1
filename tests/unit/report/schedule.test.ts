import { type KstDay, weekOf } from '#domain';
import { dueWeeks } from '../../../services/report/usecases/statement-runs.js';

const OPENED = '2026-11-04' as KstDay;
const due = (instant: string, { openedOn = OPENED, weeksMax = 13 } = {}) =>
  dueWeeks(Date.parse(instant), { openedOn, weeksMax });

test('a week is due on the Monday after it at nine in Seoul', () => {
  expect(due('2026-11-23T08:59:59.999+09:00').at(-1)).toBe('2026-W46');
  expect(due('2026-11-23T09:00:00+09:00').at(-1)).toBe('2026-W47');
  expect(due('2026-11-29T23:00:00+09:00').at(-1)).toBe('2026-W47');
});

test('every week since the one in which the books opened is due, the oldest first', () => {
  expect(due('2026-11-24T12:00:00+09:00')).toEqual(['2026-W45', '2026-W46', '2026-W47']);
  expect(due('2026-11-24T12:00:00+09:00', { openedOn: '2026-11-22' as KstDay })).toEqual(['2026-W47']);
  expect(due('2026-11-24T12:00:00+09:00', { openedOn: '2026-11-23' as KstDay })).toEqual([]);
  expect(due('2026-11-09T08:59:59+09:00')).toEqual([]);
});

test('the latest so many of them, also where a year of 53 weeks ends', () => {
  const weeks = due('2027-01-12T12:00:00+09:00', { weeksMax: 3 });
  expect(weeks).toEqual(['2026-W52', '2026-W53', '2027-W01']);
  expect(weekOf('2027-01-01' as KstDay)).toBe('2026-W53');
});
