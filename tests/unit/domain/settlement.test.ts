import fc from 'fast-check';
import { billedOnFor, parseKstDay, planPosting, sumWon, TARIFF_V1, type Tariff, verifyChain, wonOf } from '#domain';
import { anyKind, anyPosition, anyTariff } from './support/arbitraries.js';
import { codeOf, domainErrorOf } from './support/matchers.js';

const tariff = TARIFF_V1;
const kind = 'view' as const;

describe('a posting is the difference between what counts and what is posted', () => {
  test('the first time it is the whole day', () => {
    expect(planPosting({ tariff, kind, position: 99_990n, units: 11n, postedUnits: 0n })).toEqual({
      from: 99_990n,
      to: 100_001n,
      amount: 11n,
    });
  });

  test('settling again posts nothing', () => {
    expect(planPosting({ tariff, kind, position: 50n, units: 11n, postedUnits: 11n })).toBeNull();
    expect(planPosting({ tariff, kind, position: 0n, units: 0n, postedUnits: 0n })).toBeNull();
  });

  test('later it is a correction up or down, from the end of the chain', () => {
    expect(planPosting({ tariff, kind: 'ad', position: 100_170n, units: 55n, postedUnits: 64n })).toEqual({
      from: 100_170n,
      to: 100_161n,
      amount: -108n,
    });
    expect(planPosting({ tariff, kind, position: 30n, units: 12n, postedUnits: 11n })).toEqual({
      from: 30n,
      to: 31n,
      amount: 1n,
    });
  });

  test('a chain cannot fall below 0', () => {
    const broken = domainErrorOf(() => planPosting({ tariff, kind, position: 3n, units: 0n, postedUnits: 4n }));
    expect(broken).toMatchObject({ code: 'INVALID_POSITION', message: 'A correction of -4 at 3 is below 0.' });
    expect(codeOf(() => planPosting({ tariff, kind, position: 3n, units: -1n, postedUnits: 0n }))).toBe(
      'INVALID_POSITION',
    );
    expect(planPosting({ tariff, kind, position: 3n, units: 0n, postedUnits: 3n })).toEqual({
      from: 3n,
      to: 0n,
      amount: -3n,
    });
  });

  test('whatever is corrected in whatever order, the chain is unbroken and ends at opening plus counted units', () => {
    const anyChange = fc.record({ day: fc.integer({ min: 0, max: 3 }), units: fc.bigInt({ min: 0n, max: 300_000n }) });
    const settle = (
      terms: Tariff,
      postingKind: 'view' | 'ad',
      opening: bigint,
      changes: { day: number; units: bigint }[],
    ) => {
      const posted = [0n, 0n, 0n, 0n];
      const postings = [];
      let position = opening;
      for (const { day, units } of changes) {
        const plan = planPosting({
          tariff: terms,
          kind: postingKind,
          position,
          units,
          postedUnits: posted[day] as bigint,
        });
        posted[day] = units;
        if (plan === null) continue;
        postings.push(plan);
        position = plan.to;
      }
      return { postings, counted: posted.reduce((a, b) => a + b, 0n) };
    };
    fc.assert(
      fc.property(
        anyTariff('line'),
        anyKind,
        anyPosition,
        fc.array(anyChange),
        (terms, postingKind, opening, changes) => {
          const { postings, counted } = settle(terms, postingKind, opening, changes);
          expect(verifyChain(opening, postings)).toEqual({ end: opening + counted, breaks: [] });
        },
      ),
    );
    fc.assert(
      fc.property(
        anyTariff('cumulative'),
        anyKind,
        anyPosition,
        fc.array(anyChange),
        (terms, postingKind, opening, changes) => {
          const { postings, counted } = settle(terms, postingKind, opening, changes);
          // Under "cumulative" the way there does not matter: the sum is the price of going there at once.
          const atOnce = planPosting({
            tariff: terms,
            kind: postingKind,
            position: opening,
            units: counted,
            postedUnits: 0n,
          });
          expect(sumWon(postings.map(({ amount }) => amount))).toBe(atOnce?.amount ?? wonOf(0n));
        },
      ),
    );
  });
});

describe('the chain check', () => {
  test('accepts a chain and gives its end', () => {
    expect(verifyChain(5n, [])).toEqual({ end: 5n, breaks: [] });
    const postings = [
      { from: 5n, to: 9n },
      { from: 9n, to: 7n },
      { from: 7n, to: 8n },
    ];
    expect(verifyChain(5n, postings)).toEqual({ end: 8n, breaks: [] });
  });

  test('names every break: a wrong opening, a gap, an overlap', () => {
    const postings = [
      { from: 6n, to: 9n },
      { from: 10n, to: 12n },
      { from: 12n, to: 13n },
      { from: 12n, to: 14n },
    ];
    expect(verifyChain(5n, postings)).toEqual({
      end: 14n,
      breaks: [
        { index: 0, expectedFrom: 5n, from: 6n },
        { index: 1, expectedFrom: 9n, from: 10n },
        { index: 3, expectedFrom: 13n, from: 12n },
      ],
    });
  });
});

test('a day is billed on itself the first time, and on the day of posting afterwards', () => {
  const eventDay = parseKstDay('2026-03-01');
  const postingDay = parseKstDay('2026-03-05');
  expect(billedOnFor({ eventDay, daySettledBefore: false, postingDay })).toBe('2026-03-01');
  expect(billedOnFor({ eventDay, daySettledBefore: true, postingDay })).toBe('2026-03-05');
});
