import fc from 'fast-check';
import { adsOf, spreadAdViews } from '#domain';
import { readFixture } from './support/fixtures.js';
import { codeOf } from './support/matchers.js';

interface SpreadVector {
  lengthSeconds: number;
  adViewCount: number;
  perAd: number[];
}
const { cases } = readFixture<{ cases: SpreadVector[] }>('ad-spread');

describe('ad views of an event are spread as the vectors say', () => {
  test.each(cases)('$adViewCount over $lengthSeconds s', ({ lengthSeconds, adViewCount, perAd }) => {
    expect(spreadAdViews(adViewCount, adsOf(lengthSeconds))).toEqual(perAd);
  });
});

test('a spread keeps every ad view, and favours the first priorities by at most one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 500 }), (adViewCount, adCount) => {
      const spread = spreadAdViews(adViewCount, adCount);
      expect(spread).toHaveLength(adCount);
      expect(spread.reduce((sum, count) => sum + count, 0)).toBe(adViewCount);
      expect([...spread].sort((a, b) => b - a)).toEqual(spread);
      expect((spread[0] as number) - (spread.at(-1) as number)).toBeLessThanOrEqual(1);
    }),
  );
});

test('a video without ads has no ad views', () => {
  expect(spreadAdViews(0, 0)).toEqual([]);
  expect(codeOf(() => spreadAdViews(1, 0))).toBe('INVALID_AD_COUNT');
});

test('counts and lengths that are not whole and positive are refused', () => {
  for (const count of [-1, 0.5, Number.NaN]) {
    expect(codeOf(() => spreadAdViews(count, 3))).toBe('INVALID_AD_COUNT');
    expect(codeOf(() => spreadAdViews(3, count))).toBe('INVALID_AD_COUNT');
    expect(codeOf(() => adsOf(count))).toBe('INVALID_LENGTH');
  }
  expect([0, 299, 300, 599, 600].map(adsOf)).toEqual([0, 0, 1, 1, 2]);
});
