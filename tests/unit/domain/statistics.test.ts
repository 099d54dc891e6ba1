import fc from 'fast-check';
import { aggregate, parseKstDay, parseVideoId, REASON, type StatisticEvent, topFive } from '#domain';

const monday = parseKstDay('2026-03-02');
const tuesday = parseKstDay('2026-03-03');

const anyEvent: fc.Arbitrary<StatisticEvent> = fc.record({
  day: fc.constantFrom(monday, tuesday),
  videoId: fc.integer({ min: 1, max: 12 }).map((id) => parseVideoId(String(id))),
  playedSeconds: fc.integer({ min: 0, max: 4_000 }),
  adViews: fc.integer({ min: 0, max: 12 }),
  reason: fc.constantFrom(...Object.values(REASON)),
});

describe('statistics', () => {
  test('sum counted events only, and count the excluded by reason', () => {
    const event = { day: monday, videoId: parseVideoId('3'), playedSeconds: 10, adViews: 2 };
    const rows = aggregate([
      { ...event, reason: REASON.COUNTED },
      { ...event, reason: REASON.REPEAT },
      { ...event, reason: REASON.REVOKED },
      { ...event, reason: REASON.REVOKED },
      { ...event, reason: REASON.COUNTED, playedSeconds: 5 },
      { ...event, videoId: parseVideoId('20'), reason: REASON.SELF_VIEW },
      { ...event, videoId: parseVideoId('20'), day: parseKstDay('2026-03-01'), reason: REASON.COUNTED },
    ]);
    expect(rows).toEqual([
      { day: '2026-03-01', videoId: 20n, views: 1, playTimeSeconds: 10, adViews: 2, excluded: {} },
      { day: monday, videoId: 3n, views: 2, playTimeSeconds: 15, adViews: 4, excluded: { REPEAT: 1, REVOKED: 2 } },
      { day: monday, videoId: 20n, views: 0, playTimeSeconds: 0, adViews: 0, excluded: { SELF_VIEW: 1 } },
    ]);
  });

  test('lose no event, and do not depend on the order of arrival', () => {
    fc.assert(
      fc.property(fc.array(anyEvent), (events) => {
        const rows = aggregate(events);
        const total = rows.reduce(
          (sum, row) => sum + row.views + Object.values(row.excluded).reduce((a, b) => a + b, 0),
          0,
        );
        expect(total).toBe(events.length);
        expect(aggregate([...events].reverse())).toEqual(rows);
      }),
    );
  });
});

describe('Top 5', () => {
  const row = (id: string, views: number, playTimeSeconds: number) => ({
    videoId: parseVideoId(id),
    views,
    playTimeSeconds,
  });

  test('orders by the metric, and ties by the smaller id as a number', () => {
    const rows = [row('10', 5, 1), row('9', 5, 1), row('100', 9, 0), row('2', 1, 50), row('3', 4, 4), row('4', 3, 4)];
    expect(topFive(rows, 'views').map(({ rank, videoId }) => [rank, videoId])).toEqual([
      [1, 100n],
      [2, 9n],
      [3, 10n],
      [4, 3n],
      [5, 4n],
    ]);
    expect(topFive(rows, 'playTimeSeconds').map(({ videoId }) => videoId)).toEqual([2n, 3n, 4n, 9n, 10n]);
  });

  test('sums a video’s days before it ranks', () => {
    const rows = [row('1', 3, 1), row('2', 2, 1), row('2', 2, 1)];
    expect(topFive(rows, 'views')).toEqual([
      { rank: 1, videoId: 2n, views: 4, playTimeSeconds: 2 },
      { rank: 2, videoId: 1n, views: 3, playTimeSeconds: 1 },
    ]);
  });

  test('has no place for a video without a counted view', () => {
    expect(topFive([row('1', 0, 0)], 'views')).toEqual([]);
    expect(topFive([], 'playTimeSeconds')).toEqual([]);
    expect(topFive([row('1', 1, 0), row('2', 0, 0)], 'playTimeSeconds').map(({ videoId }) => videoId)).toEqual([1n]);
  });

  test('is the head of the whole ranking, whatever the order of the rows', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent),
        fc.constantFrom('views' as const, 'playTimeSeconds' as const),
        (events, metric) => {
          const rows = aggregate(events);
          const top = topFive(rows, metric);
          expect(topFive([...rows].reverse(), metric)).toEqual(top);
          expect(top.length).toBeLessThanOrEqual(5);
          const least = top.at(-1)?.[metric] ?? 0;
          const inTop = new Set(top.map(({ videoId }) => videoId));
          for (const { videoId } of rows) {
            if (inTop.has(videoId)) continue;
            const total = rows.filter((r) => r.videoId === videoId).reduce((sum, r) => sum + r[metric], 0);
            expect(total).toBeLessThanOrEqual(least);
          }
        },
      ),
    );
  });
});
