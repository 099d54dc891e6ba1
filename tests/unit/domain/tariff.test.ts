import fc from 'fast-check';
import {
  amountOf,
  explainPosting,
  formatTenths,
  parseKstDay,
  parseTariff,
  priceTenths,
  slicesOf,
  TARIFF_V1,
  type Tariff,
  TIERS_MAX,
  type Tier,
  tariffOn,
  tiersOf,
  validateTariff,
} from '#domain';
import { anyKind, anyPosition, anyTariff, ascendingPositions } from './support/arbitraries.js';
import { readFixture } from './support/fixtures.js';
import { codeOf } from './support/matchers.js';

type AmountVector = Record<'from' | 'to' | 'viewLine' | 'viewCumulative' | 'adLine' | 'adCumulative', string>;
const { cases } = readFixture<{ cases: AmountVector[] }>('tariff');

const line: Tariff = TARIFF_V1;
const cumulative: Tariff = { ...TARIFF_V1, rounding: 'cumulative' };

/** The price of one unit after another: slow, and obviously right. */
function priceUnitByUnit(tiers: readonly Tier[], from: bigint, to: bigint): bigint {
  let sum = 0n;
  for (let position = from; position < to; position += 1n) {
    sum += tiers.filter((tier) => tier.from <= position).at(-1)?.unitPriceTenths ?? 0n;
  }
  return sum;
}

describe('tariff v1 pays what the vectors say', () => {
  test('there are vectors, upwards and downwards', () => {
    expect(cases.length).toBeGreaterThan(100);
    expect(cases.some(({ from, to }) => BigInt(to) < BigInt(from))).toBe(true);
  });

  test.each(cases)('from $from to $to', (vector) => {
    const from = BigInt(vector.from);
    const to = BigInt(vector.to);
    expect({
      viewLine: amountOf(line, 'view', from, to),
      viewCumulative: amountOf(cumulative, 'view', from, to),
      adLine: amountOf(line, 'ad', from, to),
      adCumulative: amountOf(cumulative, 'ad', from, to),
    }).toEqual({
      viewLine: BigInt(vector.viewLine),
      viewCumulative: BigInt(vector.viewCumulative),
      adLine: BigInt(vector.adLine),
      adCumulative: BigInt(vector.adCumulative),
    });
  });
});

describe('prices', () => {
  test('are what one unit after another costs', () => {
    const tiers: Tier[] = [
      { from: 0n, unitPriceTenths: 7n },
      { from: 3n, unitPriceTenths: 0n },
      { from: 8n, unitPriceTenths: 13n },
    ];
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 20n }), (from, count) => {
        expect(priceTenths(tiers, from, from + count)).toBe(priceUnitByUnit(tiers, from, from + count));
      }),
    );
    expect(priceTenths(TARIFF_V1.view, 99_995n, 100_005n)).toBe(priceUnitByUnit(TARIFF_V1.view, 99_995n, 100_005n));
  });

  test('never fall as positions rise', () => {
    fc.assert(
      fc.property(anyTariff('line'), anyKind, ascendingPositions(3), (tariff, kind, [a, b, c]) => {
        const [from, to, further] = [a as bigint, b as bigint, c as bigint];
        expect(amountOf(tariff, kind, from, to) <= amountOf(tariff, kind, from, further)).toBe(true);
        expect(amountOf(tariff, kind, from, to) >= 0n).toBe(true);
      }),
    );
    fc.assert(
      fc.property(anyTariff('cumulative'), anyKind, ascendingPositions(3), (tariff, kind, [a, b, c]) => {
        const [from, to, further] = [a as bigint, b as bigint, c as bigint];
        expect(amountOf(tariff, kind, from, to) <= amountOf(tariff, kind, from, further)).toBe(true);
        expect(amountOf(tariff, kind, from, to) >= 0n).toBe(true);
      }),
    );
  });

  test('of no unit at all is nothing', () => {
    fc.assert(
      fc.property(anyKind, anyPosition, (kind, position) => {
        expect(amountOf(line, kind, position, position)).toBe(0n);
        expect(amountOf(cumulative, kind, position, position)).toBe(0n);
        expect(slicesOf(line.view, position, position)).toEqual([]);
      }),
    );
  });

  test('at a negative or reversed position are refused', () => {
    expect(codeOf(() => amountOf(line, 'view', -1n, 1n))).toBe('INVALID_POSITION');
    expect(codeOf(() => amountOf(cumulative, 'ad', 1n, -1n))).toBe('INVALID_POSITION');
    expect(codeOf(() => priceTenths(line.view, 2n, 1n))).toBe('INVALID_POSITION');
    expect(codeOf(() => slicesOf(line.view, 2n, 1n))).toBe('INVALID_POSITION');
  });
});

describe('rounding', () => {
  test('cumulative is additive: splitting a posting neither makes nor loses a won', () => {
    fc.assert(
      fc.property(
        anyTariff('cumulative'),
        anyKind,
        fc.tuple(anyPosition, anyPosition, anyPosition),
        (tariff, kind, [a, b, c]) => {
          expect(amountOf(tariff, kind, a, c)).toBe(amountOf(tariff, kind, a, b) + amountOf(tariff, kind, b, c));
        },
      ),
    );
  });

  test('line loses less than one won a posting, and never pays more than the exact price', () => {
    fc.assert(
      fc.property(anyTariff('line'), anyKind, ascendingPositions(2), (tariff, kind, [a, b]) => {
        const [from, to] = [a as bigint, b as bigint];
        const lostTenths = priceTenths(tiersOf(tariff, kind), from, to) - amountOf(tariff, kind, from, to) * 10n;
        expect(lostTenths >= 0n && lostTenths < 10n).toBe(true);
      }),
    );
  });

  test('line and cumulative differ by at most one won, line never above by one', () => {
    fc.assert(
      fc.property(anyTariff('line'), anyKind, ascendingPositions(2), (tariff, kind, [a, b]) => {
        const [from, to] = [a as bigint, b as bigint];
        const other: Tariff = { ...tariff, rounding: 'cumulative' };
        const above = amountOf(tariff, kind, from, to) - amountOf(other, kind, from, to);
        expect(above === 0n || above === -1n).toBe(true);
      }),
    );
  });

  test('a correction downwards is exactly minus the posting upwards', () => {
    for (const rounding of ['line', 'cumulative'] as const) {
      fc.assert(
        fc.property(anyTariff(rounding), anyKind, anyPosition, anyPosition, (tariff, kind, a, b) => {
          expect(amountOf(tariff, kind, b, a)).toBe(-amountOf(tariff, kind, a, b));
        }),
      );
    }
  });
});

describe('slices', () => {
  test('are contiguous, each at one price, and sum to the exact price', () => {
    fc.assert(
      fc.property(anyTariff('line'), anyKind, ascendingPositions(2), (tariff, kind, [a, b]) => {
        const [from, to] = [a as bigint, b as bigint];
        const tiers = tiersOf(tariff, kind);
        const slices = slicesOf(tiers, from, to);
        let end = from;
        for (const slice of slices) {
          expect(slice.from).toBe(end);
          expect(slice.to > slice.from).toBe(true);
          expect(slice.amountTenths).toBe((slice.to - slice.from) * slice.unitPriceTenths);
          const tierOfLast = tiers.filter((tier) => tier.from < slice.to).at(-1) as Tier;
          expect(slice.unitPriceTenths).toBe(tierOfLast.unitPriceTenths);
          expect(tierOfLast.from <= slice.from).toBe(true);
          end = slice.to;
        }
        expect(end).toBe(to);
        expect(slices.reduce((sum, slice) => sum + slice.amountTenths, 0n)).toBe(priceTenths(tiers, from, to));
      }),
    );
  });

  test('explain a posting in either direction to less than one won of its amount', () => {
    for (const rounding of ['line', 'cumulative'] as const) {
      fc.assert(
        fc.property(anyTariff(rounding), anyKind, anyPosition, anyPosition, (tariff, kind, from, to) => {
          const { slices, exactTenths, amount } = explainPosting(tariff, kind, from, to);
          let end = from;
          for (const slice of slices) {
            expect(slice.from).toBe(end);
            expect(slice.amountTenths).toBe((slice.to - slice.from) * slice.unitPriceTenths);
            expect(slice.unitPrice).toBe(formatTenths(slice.unitPriceTenths));
            end = slice.to;
          }
          expect(end).toBe(to);
          expect(slices.reduce((sum, slice) => sum + slice.amountTenths, 0n)).toBe(exactTenths);
          expect(amount).toBe(amountOf(tariff, kind, from, to));
          const roundedOff = exactTenths - amount * 10n;
          expect(roundedOff > -10n && roundedOff < 10n).toBe(true);
        }),
      );
    }
  });

  test('show unit prices and amounts as exact won with one decimal', () => {
    expect(explainPosting(TARIFF_V1, 'view', 99_998n, 100_003n)).toEqual({
      slices: [
        { from: 99_998n, to: 100_000n, unitPriceTenths: 10n, amountTenths: 20n, unitPrice: '1.0', amount: '2.0' },
        { from: 100_000n, to: 100_003n, unitPriceTenths: 11n, amountTenths: 33n, unitPrice: '1.1', amount: '3.3' },
      ],
      exactTenths: 53n,
      amount: 5n,
    });
    const down = explainPosting(TARIFF_V1, 'view', 100_003n, 99_998n);
    expect(down.slices.map(({ from, to, amount }) => [from, to, amount])).toEqual([
      [100_003n, 100_000n, '-3.3'],
      [100_000n, 99_998n, '-2.0'],
    ]);
    expect(down.amount).toBe(-5n);
  });
});

describe('the tariff in effect', () => {
  const v2: Tariff = { ...TARIFF_V1, version: 2, effectiveFrom: parseKstDay('2026-03-02') };
  const v3: Tariff = { ...v2, version: 3 };

  test('is the latest that does not start after the day, and the newer of two that start together', () => {
    for (const tariffs of [
      [TARIFF_V1, v2, v3],
      [v3, v2, TARIFF_V1],
    ]) {
      expect(tariffOn(tariffs, parseKstDay('2026-03-01')).version).toBe(1);
      expect(tariffOn(tariffs, parseKstDay('2026-03-02')).version).toBe(3);
      expect(tariffOn(tariffs, parseKstDay('9999-12-31')).version).toBe(3);
    }
  });

  test('is never guessed', () => {
    expect(codeOf(() => tariffOn([v2], parseKstDay('2026-03-01')))).toBe('NO_TARIFF_IN_EFFECT');
    expect(codeOf(() => tariffOn([], parseKstDay('2026-03-01')))).toBe('NO_TARIFF_IN_EFFECT');
  });
});

describe('a tariff is accepted only when it is whole', () => {
  const tier = (from: bigint, unitPriceTenths: bigint): Tier => ({ from, unitPriceTenths });
  const fieldsOf = (change: Partial<Record<'effectiveFrom' | 'rounding', string>> & { view?: Tier[]; ad?: Tier[] }) =>
    validateTariff({ ...TARIFF_V1, ...change }).map(({ field }) => field);

  test('tariff v1 and every tariff that the properties use are', () => {
    expect(validateTariff(TARIFF_V1)).toEqual([]);
    fc.assert(fc.property(anyTariff('cumulative'), (tariff) => expect(validateTariff(tariff)).toEqual([])));
  });

  test('each fault is named by its field', () => {
    expect(fieldsOf({ view: [] })).toEqual(['view']);
    expect(fieldsOf({ ad: Array.from({ length: TIERS_MAX + 1 }, (_, i) => tier(BigInt(i), 1n)) })).toEqual(['ad']);
    expect(fieldsOf({ ad: Array.from({ length: TIERS_MAX }, (_, i) => tier(BigInt(i), 1n)) })).toEqual([]);
    expect(fieldsOf({ view: [tier(1n, 1n)] })).toEqual(['view[0].from']);
    expect(fieldsOf({ view: [tier(0n, 1n), tier(5n, 1n), tier(5n, 2n)] })).toEqual(['view[2].from']);
    expect(fieldsOf({ view: [tier(0n, 1n), tier(10n ** 13n, 1n)] })).toEqual(['view[1].from']);
    expect(fieldsOf({ ad: [tier(0n, -1n)] })).toEqual(['ad[0].unitPrice']);
    expect(fieldsOf({ ad: [tier(0n, 10_000_001n)] })).toEqual(['ad[0].unitPrice']);
    expect(fieldsOf({ ad: [tier(0n, 0n)] })).toEqual([]);
    expect(fieldsOf({ rounding: 'up' })).toEqual(['rounding']);
    expect(fieldsOf({ effectiveFrom: '2026-02-30' })).toEqual(['effectiveFrom']);
  });

  test('JSON is read exactly', () => {
    const parsed = parseTariff({
      effectiveFrom: '2026-03-01',
      rounding: 'cumulative',
      view: [
        { from: 0, unitPrice: 1.1 },
        { from: '100000', unitPrice: '1.3' },
      ],
      ad: [{ from: '0', unitPrice: 10 }],
    });
    expect(parsed).toEqual({
      ok: true,
      terms: {
        effectiveFrom: '2026-03-01',
        rounding: 'cumulative',
        view: [tier(0n, 11n), tier(100_000n, 13n)],
        ad: [tier(0n, 100n)],
      },
    });
  });

  test('unreadable JSON and broken rules give field errors, not exceptions', () => {
    const input = { effectiveFrom: '2026-03-01', rounding: 'line', ad: [{ from: 0, unitPrice: 1 }] };
    const bad = parseTariff({
      ...input,
      view: [
        { from: 0.5, unitPrice: 1.11 },
        { from: -1, unitPrice: -1 },
        { from: '', unitPrice: '' },
      ],
    });
    expect(bad.ok ? [] : bad.errors.map(({ field }) => field)).toEqual([
      'view[0].from',
      'view[0].unitPrice',
      'view[1].from',
      'view[1].unitPrice',
      'view[2].from',
      'view[2].unitPrice',
    ]);
    const late = parseTariff({ ...input, view: [{ from: 5, unitPrice: 1 }] });
    expect(late.ok ? [] : late.errors.map(({ field }) => field)).toEqual(['view[0].from']);
  });
});
