import fc from 'fast-check';
import { addDays, checkSettlementOrder, daysToCatchUp, parseKstDay } from '#domain';
import { codeOf, domainErrorOf } from './support/matchers.js';

const day = (text: string) => parseKstDay(text);
const today = day('2026-03-10');

describe('days settle in order', () => {
  test('the first day ever settled opens the books', () => {
    expect(checkSettlementOrder({ day: day('2026-03-01'), lastSettledDay: null, today }).kind).toBe('opens-books');
  });

  test('then the next day, and any day before again as an adjustment', () => {
    const lastSettledDay = day('2026-02-28');
    expect(checkSettlementOrder({ day: day('2026-03-01'), lastSettledDay, today }).kind).toBe('next');
    expect(checkSettlementOrder({ day: day('2026-02-28'), lastSettledDay, today }).kind).toBe('adjust');
    expect(checkSettlementOrder({ day: day('2025-01-01'), lastSettledDay, today }).kind).toBe('adjust');
  });

  test('a gap is refused, naming the first missing day', () => {
    const error = domainErrorOf(() =>
      checkSettlementOrder({ day: day('2026-03-05'), lastSettledDay: day('2026-02-28'), today }),
    );
    expect(error).toMatchObject({
      code: 'SETTLEMENT_GAP',
      field: 'date',
      details: { firstMissingDay: '2026-03-01' },
    });
    expect(error.message).toContain('2026-03-01');
  });

  test('today and later are not over, whatever was settled', () => {
    for (const lastSettledDay of [null, day('2026-03-09'), today, day('2027-01-01')]) {
      expect(codeOf(() => checkSettlementOrder({ day: today, lastSettledDay, today }))).toBe('DAY_NOT_OVER');
      expect(codeOf(() => checkSettlementOrder({ day: addDays(today, 1), lastSettledDay, today }))).toBe(
        'DAY_NOT_OVER',
      );
    }
    expect(checkSettlementOrder({ day: day('2026-03-09'), lastSettledDay: null, today }).kind).toBe('opens-books');
  });
});

describe('catching up', () => {
  const yesterday = day('2026-03-09');

  test('gives the missed days in order, empty ones included', () => {
    expect(
      daysToCatchUp({ lastSettledDay: day('2026-03-06'), earliestEventDay: day('2026-03-09'), yesterday }),
    ).toEqual(['2026-03-07', '2026-03-08', '2026-03-09']);
    expect(daysToCatchUp({ lastSettledDay: yesterday, earliestEventDay: null, yesterday })).toEqual([]);
    expect(daysToCatchUp({ lastSettledDay: day('9999-12-31'), earliestEventDay: null, yesterday })).toEqual([]);
  });

  test('opens the books on the earliest day with events, or on yesterday without any', () => {
    expect(daysToCatchUp({ lastSettledDay: null, earliestEventDay: day('2026-03-08'), yesterday })).toEqual([
      '2026-03-08',
      '2026-03-09',
    ]);
    expect(daysToCatchUp({ lastSettledDay: null, earliestEventDay: null, yesterday })).toEqual(['2026-03-09']);
    expect(daysToCatchUp({ lastSettledDay: null, earliestEventDay: today, yesterday })).toEqual(['2026-03-09']);
  });

  test('settling what it gives, one after another, is always in order and leaves nothing', () => {
    const maybeDay = fc.option(fc.integer({ min: -40, max: 2 }).map((n) => addDays(today, n)));
    fc.assert(
      fc.property(maybeDay, maybeDay, (last, earliestEventDay) => {
        let lastSettledDay = last;
        for (const next of daysToCatchUp({ lastSettledDay, earliestEventDay, yesterday })) {
          expect(checkSettlementOrder({ day: next, lastSettledDay, today }).kind).not.toBe('adjust');
          lastSettledDay = next;
        }
        expect(daysToCatchUp({ lastSettledDay, earliestEventDay, yesterday })).toEqual([]);
      }),
    );
  });
});
