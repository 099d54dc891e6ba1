import fc from 'fast-check';
import {
  formatTenths,
  negateWon,
  parseUnitPriceTenths,
  parseWon,
  sumWon,
  wonOf,
  wonToJsonNumber,
  ZERO_WON,
} from '#domain';
import { codeOf } from './support/matchers.js';

describe('won', () => {
  test('sums exactly, beyond what a floating-point number holds', () => {
    expect(sumWon([])).toBe(ZERO_WON);
    expect(sumWon([wonOf(2n ** 53n), wonOf(1n), wonOf(-3n)])).toBe(2n ** 53n - 2n);
    expect(negateWon(wonOf(5n))).toBe(-5n);
    expect(negateWon(ZERO_WON)).toBe(0n);
  });

  test('becomes a JSON integer only where that is exact', () => {
    const largest = 2n ** 53n - 1n;
    expect(wonToJsonNumber(wonOf(largest))).toBe(Number.MAX_SAFE_INTEGER);
    expect(wonToJsonNumber(wonOf(-largest))).toBe(Number.MIN_SAFE_INTEGER);
    for (const amount of [largest + 1n, largest + 2n, -largest - 1n, 10n ** 400n]) {
      expect(codeOf(() => wonToJsonNumber(wonOf(amount)))).toBe('AMOUNT_TOO_LARGE');
    }
  });

  test('is read from the database’s decimal text and from nothing else', () => {
    fc.assert(fc.property(fc.bigInt(), (amount) => expect(parseWon(amount.toString())).toBe(amount)));
    for (const text of ['', '1.0', '01', '-0', '+1', ' 1', '1\n', '1e3', '0x1']) {
      expect(codeOf(() => parseWon(text))).toBe('INVALID_AMOUNT');
    }
  });
});

describe('tenths of a won', () => {
  test('are written in won with exactly one decimal, and unit prices are read back', () => {
    expect([0n, 5n, 10n, 11n, -1n, -33n, 200n].map(formatTenths)).toEqual([
      '0.0',
      '0.5',
      '1.0',
      '1.1',
      '-0.1',
      '-3.3',
      '20.0',
    ]);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), (tenths) => {
        expect(parseUnitPriceTenths(formatTenths(tenths))).toBe(tenths);
        expect(parseUnitPriceTenths(Number(formatTenths(tenths)))).toBe(tenths);
      }),
    );
  });

  test.each([-1, 1.11, Number.NaN, 1e21, 0.1 + 0.2, '1.', '.1', '1,1', '-0.1', '01', '', null, undefined, true])(
    '%p is not a unit price',
    (value) => {
      expect(codeOf(() => parseUnitPriceTenths(value))).toBe('INVALID_UNIT_PRICE');
    },
  );
});
