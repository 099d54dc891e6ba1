import fc from 'fast-check';
import { addDays, type KstDay, parseKstDay, TARIFF_V1, type Tariff, type Tier } from '#domain';

const EPOCH_DAY = parseKstDay('1970-01-01');
const DAY_COUNT = 2_932_897;

/** Any valid day, with both ends of the range and the ends of years likely. */
export const anyDay: fc.Arbitrary<KstDay> = fc.oneof(
  fc.integer({ min: 0, max: DAY_COUNT - 1 }).map((n) => addDays(EPOCH_DAY, n)),
  fc
    .tuple(fc.integer({ min: 1971, max: 9998 }), fc.integer({ min: -4, max: 4 }))
    .map(([year, shift]) => addDays(parseKstDay(`${year}-01-01`), shift)),
  fc.integer({ min: 1972, max: 9999 }).map((year) => addDays(parseKstDay(`${year}-02-28`), 1)),
);

/** A day whose ISO week lies wholly within the range. */
export const anyDayInWholeWeek = anyDay.filter((day) => day >= '1970-01-05' && day <= '9999-12-26');

const EDGES = [0n, 1n, 9n, 10n, 99_999n, 100_000n, 100_001n, 499_999n, 500_000n, 999_999n, 1_000_000n, 1_000_001n];

/** A position, leaning on the edges of the tiers. */
export const anyPosition: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.bigInt({ min: 0n, max: 2_000_000n }),
  fc.bigInt({ min: 0n, max: 10n ** 15n }),
);

const anyTiers: fc.Arbitrary<Tier[]> = fc
  .tuple(
    fc.uniqueArray(fc.bigInt({ min: 1n, max: 2_000_000n }), { maxLength: 6 }),
    fc.array(fc.bigInt({ min: 0n, max: 1_000n }), { minLength: 7, maxLength: 7 }),
  )
  .map(([starts, prices]) =>
    [0n, ...starts.sort((a, b) => (a < b ? -1 : 1))].map((from, index) => ({
      from,
      unitPriceTenths: prices[index] as bigint,
    })),
  );

/** Tariff v1 or any valid one, with that rounding. */
export function anyTariff(rounding: 'line' | 'cumulative'): fc.Arbitrary<Tariff> {
  const other = fc.record({
    version: fc.integer({ min: 2, max: 9 }),
    effectiveFrom: fc.constant(EPOCH_DAY),
    rounding: fc.constant(rounding),
    view: anyTiers,
    ad: anyTiers,
  });
  return fc.oneof(fc.constant({ ...TARIFF_V1, rounding }), other);
}

export const anyKind = fc.constantFrom('view' as const, 'ad' as const);

/** `count` positions in ascending order. */
export function ascendingPositions(count: number): fc.Arbitrary<bigint[]> {
  return fc
    .array(anyPosition, { minLength: count, maxLength: count })
    .map((positions) => positions.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
}
