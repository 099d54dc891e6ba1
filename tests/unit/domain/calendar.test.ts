import fc from 'fast-check';
import {
  addDays,
  compareDays,
  daysBetween,
  daysOf,
  endOfDayMs,
  formatInstant,
  formatPeriod,
  isOver,
  kstDayOf,
  latestPeriodOver,
  monthOf,
  monthRange,
  PERIOD_KINDS,
  parseInstant,
  parseIsoWeek,
  parseKstDay,
  parseMonth,
  parsePeriodKind,
  periodContaining,
  periodOf,
  startOfDayMs,
  weekOf,
  weekRange,
} from '#domain';
import { anyDay, anyDayInWholeWeek } from './support/arbitraries.js';
import { readFixture } from './support/fixtures.js';
import { codeOf, domainErrorOf } from './support/matchers.js';

const vectors = readFixture<{
  days: { instant: string; day: string }[];
  weeks: { date: string; week: string; monday: string; sunday: string; month: string }[];
}>('calendar');

const day = (text: string) => parseKstDay(text);

describe('a day is a date in Asia/Seoul', () => {
  test.each(vectors.days)('$instant is on $day', ({ instant, day: expected }) => {
    expect(kstDayOf(parseInstant(instant))).toBe(expected);
  });

  test('agrees with the platform’s own calendar at any instant', () => {
    const seoul = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Seoul', dateStyle: 'short' });
    fc.assert(
      // From 1989 on: before, Seoul had daylight saving in some summers, which the rules do not know.
      fc.property(fc.integer({ min: 600_000_000_000, max: 250_000_000_000_000 }), (ms) => {
        expect(kstDayOf(ms)).toBe(seoul.format(ms));
      }),
    );
  });

  test('starts at its first instant and is over at the first instant of the next', () => {
    expect(startOfDayMs(day('2026-11-22'))).toBe(Date.parse('2026-11-21T15:00:00Z'));
    fc.assert(
      fc.property(anyDay, (any) => {
        expect(kstDayOf(startOfDayMs(any))).toBe(any);
        expect(kstDayOf(endOfDayMs(any) - 1)).toBe(any);
        expect(endOfDayMs(any) - startOfDayMs(any)).toBe(86_400_000);
      }),
    );
  });

  test('an instant outside 1970 to 9999, or none, is refused', () => {
    const outside = [-9 * 3_600_000 - 1, Date.parse('9999-12-31T15:00:00Z'), Number.NaN, Number.POSITIVE_INFINITY];
    for (const ms of outside) expect(codeOf(() => kstDayOf(ms))).toBe('DAY_OUT_OF_RANGE');
    expect(kstDayOf(-9 * 3_600_000)).toBe('1970-01-01');
    expect(kstDayOf(Date.parse('9999-12-31T14:59:59.999Z'))).toBe('9999-12-31');
  });
});

describe('days count exactly', () => {
  test('addDays and daysBetween undo each other, and order follows', () => {
    fc.assert(
      fc.property(anyDay, anyDay, (a, b) => {
        const distance = daysBetween(a, b);
        expect(addDays(a, distance)).toBe(b);
        expect(addDays(b, -distance)).toBe(a);
        expect(compareDays(a, b)).toBe(Math.sign(-distance) + 0);
        expect(distance).toBe((Date.parse(b) - Date.parse(a)) / 86_400_000);
      }),
    );
  });

  test('leap days exist every fourth year, save three centuries in four', () => {
    expect(addDays(day('2024-02-28'), 1)).toBe('2024-02-29');
    expect(addDays(day('2100-02-28'), 1)).toBe('2100-03-01');
    expect(addDays(day('2000-02-28'), 1)).toBe('2000-02-29');
  });

  test('leaving the range is refused', () => {
    expect(codeOf(() => addDays(day('1970-01-01'), -1))).toBe('DAY_OUT_OF_RANGE');
    expect(codeOf(() => addDays(day('9999-12-31'), 1))).toBe('DAY_OUT_OF_RANGE');
    expect(codeOf(() => addDays(day('2026-01-01'), 0.5))).toBe('DAY_OUT_OF_RANGE');
  });

  test('daysOf gives every day once, both ends included, and nothing backwards', () => {
    expect([...daysOf(day('2026-02-27'), day('2026-03-02'))]).toEqual([
      '2026-02-27',
      '2026-02-28',
      '2026-03-01',
      '2026-03-02',
    ]);
    expect([...daysOf(day('2026-03-02'), day('2026-03-02'))]).toEqual(['2026-03-02']);
    expect([...daysOf(day('2026-03-02'), day('2026-03-01'))]).toEqual([]);
    expect([...daysOf(day('9999-12-31'), day('9999-12-31'))]).toEqual(['9999-12-31']);
  });
});

describe('weeks are ISO weeks, Monday to Sunday', () => {
  test.each(vectors.weeks)('$date is in $week', ({ date, week, monday, sunday, month }) => {
    expect(weekOf(day(date))).toBe(week);
    expect(weekRange(parseIsoWeek(week))).toEqual({ from: monday, to: sunday });
    expect(monthOf(day(date))).toBe(month);
  });

  test('a week has seven days from a Monday, contains its day, and is named alike by each of them', () => {
    fc.assert(
      fc.property(anyDayInWholeWeek, (any) => {
        const week = parseIsoWeek(weekOf(any));
        const { from, to } = weekRange(week);
        expect(daysBetween(from, to)).toBe(6);
        expect(from <= any && any <= to).toBe(true);
        expect(new Date(from).getUTCDay()).toBe(1);
        for (const each of daysOf(from, to)) expect(weekOf(each)).toBe(week);
      }),
    );
  });

  test('weeks follow one another without gap', () => {
    fc.assert(
      fc.property(
        anyDayInWholeWeek.filter((d) => d < '9999-12-01'),
        (any) => {
          const week = weekOf(any);
          const next = weekOf(addDays(any, 7));
          expect(weekRange(next).from).toBe(addDays(weekRange(week).to, 1));
          expect(week < next).toBe(true);
        },
      ),
    );
  });

  test('the weeks that the range cuts have no name', () => {
    expect(codeOf(() => weekOf(day('1970-01-04')))).toBe('DAY_OUT_OF_RANGE');
    expect(codeOf(() => weekOf(day('9999-12-27')))).toBe('DAY_OUT_OF_RANGE');
    expect(codeOf(() => parseIsoWeek('1970-W01'))).toBe('INVALID_WEEK');
    expect(codeOf(() => parseIsoWeek('9999-W52'))).toBe('INVALID_WEEK');
    expect(weekOf(day('1970-01-05'))).toBe('1970-W02');
    expect(weekOf(day('9999-12-26'))).toBe('9999-W51');
  });
});

describe('months are calendar months', () => {
  test('a month contains its days, from the 1st to the last', () => {
    fc.assert(
      fc.property(anyDay, (any) => {
        const month = parseMonth(monthOf(any));
        const { from, to } = monthRange(month);
        expect(from <= any && any <= to).toBe(true);
        expect(from.endsWith('-01')).toBe(true);
        if (to < '9999-12-31') expect(addDays(to, 1).endsWith('-01')).toBe(true);
        expect(monthOf(to)).toBe(month);
      }),
    );
  });
});

describe('only what exists is read, and only as it is written', () => {
  const notDays = [
    '2026-02-30',
    '2025-02-29',
    '2100-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-1-1',
    '1969-12-31',
    '0000-01-01',
    '10000-01-01',
    ' 2026-01-01',
    '2026-01-01 ',
    '2026-01-01\n',
    '2026-01-01T00:00:00Z',
    '20260101',
    '２０２６-01-01',
    '+2026-01-01',
    '',
    null,
    undefined,
    20260101,
    ['2026-01-01'],
  ];
  test.each(notDays)('%p is not a day', (text) => {
    const error = domainErrorOf(() => parseKstDay(text, 'from'));
    expect(error).toMatchObject({ code: 'INVALID_DAY', field: 'from' });
  });

  const notWeeks = [
    '2026-W54',
    '2025-W53',
    '2026-W00',
    '2026-W1',
    '2026W47',
    '2026-w47',
    '2026-W47-1',
    '2026-47',
    null,
  ];
  test.each(notWeeks)('%p is not a week', (text) => {
    expect(codeOf(() => parseIsoWeek(text))).toBe('INVALID_WEEK');
  });

  const notMonths = ['2026-13', '2026-00', '2026-1', '1969-12', '2026-11-01', '2026/11', '2026-11\n', 202611];
  test.each(notMonths)('%p is not a month', (text) => {
    expect(codeOf(() => parseMonth(text))).toBe('INVALID_MONTH');
  });

  test('any other text than the ten characters of a day is refused', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 14 }).filter((text) => !/^\d{4}-\d{2}-\d{2}$/.test(text)),
        (text) => {
          expect(codeOf(() => parseKstDay(text))).toBe('INVALID_DAY');
        },
      ),
    );
  });

  test('every combination of digits is a day exactly when that date exists', () => {
    const part = (max: number) => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(fc.integer({ min: 1970, max: 9999 }), part(14), part(33), (year, month, date) => {
        const text = `${year}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
        const parsed = new Date(Date.UTC(year, month - 1, date));
        const exists = month >= 1 && month <= 12 && date >= 1 && parsed.toISOString().startsWith(text);
        if (exists) expect(parseKstDay(text)).toBe(text);
        else expect(codeOf(() => parseKstDay(text))).toBe('INVALID_DAY');
      }),
    );
  });
});

describe('periods', () => {
  test('each kind is named by its own text', () => {
    expect(periodOf('daily', '2026-11-22')).toEqual({ kind: 'daily', from: '2026-11-22', to: '2026-11-22' });
    expect(periodOf('weekly', '2026-W47')).toEqual({ kind: 'weekly', from: '2026-11-16', to: '2026-11-22' });
    expect(periodOf('monthly', '2024-02')).toEqual({ kind: 'monthly', from: '2024-02-01', to: '2024-02-29' });
    expect(codeOf(() => periodOf('weekly', '2026-11-22'))).toBe('INVALID_WEEK');
    expect(codeOf(() => parsePeriodKind('yearly'))).toBe('INVALID_PERIOD_KIND');
    expect(parsePeriodKind('weekly')).toBe('weekly');
  });

  test('a period that contains a day is read back from its name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PERIOD_KINDS), anyDayInWholeWeek, (kind, any) => {
        const period = periodContaining(kind, any);
        expect(period.from <= any && any <= period.to).toBe(true);
        expect(periodOf(kind, formatPeriod(period))).toEqual(period);
      }),
    );
  });

  test('a period is over at midnight in Seoul after its last day, not a millisecond sooner', () => {
    const week = periodOf('weekly', '2026-W47');
    const midnight = Date.parse('2026-11-22T15:00:00Z');
    expect(isOver(week, midnight - 1)).toBe(false);
    expect(isOver(week, midnight)).toBe(true);
  });

  test('the latest period over is over, and the one after it is not', () => {
    expect(latestPeriodOver('weekly', Date.parse('2026-11-22T15:00:00Z'))).toEqual(periodOf('weekly', '2026-W47'));
    expect(latestPeriodOver('weekly', Date.parse('2026-11-22T14:59:59Z'))).toEqual(periodOf('weekly', '2026-W46'));
    expect(latestPeriodOver('daily', Date.parse('2026-01-01T00:00:00Z'))).toEqual(periodOf('daily', '2025-12-31'));
    expect(latestPeriodOver('monthly', Date.parse('2026-01-01T00:00:00Z'))).toEqual(periodOf('monthly', '2025-12'));
  });
});

describe('instants', () => {
  test('are RFC 3339, to the millisecond, with any offset', () => {
    expect(parseInstant('2026-11-21T15:00:00Z')).toBe(Date.UTC(2026, 10, 21, 15));
    expect(parseInstant('2026-11-22T00:00:00+09:00')).toBe(Date.UTC(2026, 10, 21, 15));
    expect(parseInstant('2026-11-21T11:30:00.5-03:30')).toBe(Date.UTC(2026, 10, 21, 15, 0, 0, 500));
    expect(parseInstant('2026-11-21T14:59:59.999999Z')).toBe(Date.UTC(2026, 10, 21, 14, 59, 59, 999));
  });

  test('are written so that they are read back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        expect(formatInstant(ms)).toBe(new Date(ms).toISOString());
        expect(parseInstant(formatInstant(ms))).toBe(ms);
      }),
    );
  });

  const notInstants = [
    '2026-11-21',
    '2026-11-21T15:00:00',
    '2026-11-21 15:00:00Z',
    '2026-11-21T15:00Z',
    '2026-02-30T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T15:60:00Z',
    '2026-11-21T23:59:60Z',
    '2026-11-21T15:00:00+9',
    '2026-11-21T15:00:00+24:00',
    '2026-11-21T15:00:00.Z',
    'now',
    1_700_000_000_000,
    null,
  ];
  test.each(notInstants)('%p is not an instant', (text) => {
    expect(domainErrorOf(() => parseInstant(text))).toMatchObject({ code: 'INVALID_INSTANT', field: 'watchedAt' });
  });
});
