import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { adsOf } from '#domain';
import { countAdViews } from '../../../services/advertisement/domain/count-ad-views.js';

interface Case {
  readonly lengthSeconds: number;
  readonly adViewCount: number;
  readonly perAd: readonly number[];
}

const { cases } = JSON.parse(readFileSync('tests/fixtures/ad-spread.json', 'utf8')) as { cases: Case[] };

function sum(increments: ReturnType<typeof countAdViews>, column: 'counted' | 'excluded'): number {
  return increments.reduce((total, increment) => total + increment[column], 0);
}

test.each(cases)('$adViewCount ad views of a video of $lengthSeconds s', ({ lengthSeconds, adViewCount, perAd }) => {
  const increments = countAdViews([['5', adsOf(lengthSeconds), 3, 0, adViewCount === 0 ? [] : [[adViewCount, 3, 1]]]]);
  const ofAd = (priority: number) => increments.filter(({ shown }) => shown >= priority);
  const sums = perAd.map((_, i) => [sum(ofAd(i + 1), 'counted'), sum(ofAd(i + 1), 'excluded')]);
  expect(sums).toEqual(perAd.map((each) => [3 * each, each]));
});

test('property: no ad view is lost or made by summing over videos and recordings', () => {
  const adViews = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(50), fc.nat(50));
  const video = fc.tuple(
    fc.integer({ min: 1, max: 5 }).map(String),
    fc.constant(12),
    fc.nat(),
    fc.nat(),
    fc.array(adViews, { maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(video, { maxLength: 10 }), (videos) => {
      const increments = countAdViews(videos);
      const sent = videos.flatMap(([, , , , views]) => views);
      const sentSum = (of: (each: (typeof sent)[number]) => number) =>
        sent.reduce((total, each) => total + of(each), 0);
      expect(increments.reduce((total, { shown, counted }) => total + shown * counted, 0)).toBe(
        sentSum(([n, counted]) => n * counted),
      );
      expect(increments.reduce((total, { shown, excluded }) => total + shown * excluded, 0)).toBe(
        sentSum(([n, , x]) => n * x),
      );
      const keys = increments.map(({ videoId, shown }) => Number(videoId) * 100 + shown);
      expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
    }),
  );
});

test('ad views of a video without ads are refused', () => {
  expect(() => countAdViews([['5', 0, 1, 0, [[1, 1, 0]]]])).toThrow('A video without ads');
});
