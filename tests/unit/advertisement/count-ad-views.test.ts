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

test.each(cases)('$adViewCount ad views of a video of $lengthSeconds s', ({ lengthSeconds, adViewCount, perAd }) => {
  const increments = countAdViews([['5', adsOf(lengthSeconds), 3, 0, adViewCount === 0 ? [] : [[adViewCount, 3, 1]]]]);
  const counted = perAd.map((_, i) => increments.find(({ priority }) => priority === i + 1)?.counted ?? 0);
  expect(counted).toEqual(perAd.map((each) => 3 * each));
  expect(increments.reduce((sum, { excluded }) => sum + excluded, 0)).toBe(adViewCount);
});

test('property: no ad view is lost or made by summing over videos and recordings', () => {
  const adViews = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(50), fc.nat(50));
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
      const sum = (of: (each: (typeof sent)[number]) => number) => sent.reduce((total, each) => total + of(each), 0);
      expect(increments.reduce((total, { counted }) => total + counted, 0)).toBe(sum(([n, counted]) => n * counted));
      expect(increments.reduce((total, { excluded }) => total + excluded, 0)).toBe(sum(([n, , x]) => n * x));
      const keys = increments.map(({ videoId, priority }) => Number(videoId) * 100 + priority);
      expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
    }),
  );
});

test('ad views of a video without ads are refused', () => {
  expect(() => countAdViews([['5', 0, 1, 0, [[1, 1, 0]]]])).toThrow('A video without ads');
});
