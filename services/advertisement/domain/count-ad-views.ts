import { type RecordedVideo, roundsOfAds } from '#domain';

/**
 * What is added for showings of a video's first `shown` ads by priority, each of them once. The counter of an ad is the
 * sum of its video's rows with `shown` at or above its priority: so an event is one row, not one for each of its ads.
 */
export interface ShownIncrement {
  readonly videoId: bigint;
  readonly shown: number;
  readonly counted: number;
  readonly excluded: number;
}

interface Sums {
  counted: number;
  excluded: number;
}

/**
 * Spreads the ad views of each event over its video's ads and sums them, in the order of video and `shown`. Rules
 * "Advertisements".
 * @throws DomainError INVALID_AD_COUNT for ad views of a video without ads
 */
export function countAdViews(videos: readonly RecordedVideo[]): ShownIncrement[] {
  const byVideo = new Map<string, Map<number, Sums>>();
  for (const [videoId, ads, , , adViews] of videos) {
    if (adViews.length === 0) continue;
    const counters = byVideo.get(videoId) ?? new Map<number, Sums>();
    byVideo.set(videoId, counters);
    for (const [shown, counted, excluded] of adViews) {
      const { rounds, first } = roundsOfAds(shown, ads);
      if (rounds > 0) add(counters, ads, { counted: rounds * counted, excluded: rounds * excluded });
      if (first > 0) add(counters, first, { counted, excluded });
    }
  }
  return [...byVideo]
    .map(([videoId, counters]) => ({ videoId: BigInt(videoId), counters }))
    .sort((a, b) => (a.videoId < b.videoId ? -1 : 1))
    .flatMap(({ videoId, counters }) =>
      [...counters].sort(([a], [b]) => a - b).map(([shown, sums]) => ({ videoId, shown, ...sums })),
    );
}

function add(counters: Map<number, Sums>, shown: number, { counted, excluded }: Sums): void {
  const sums = counters.get(shown) ?? { counted: 0, excluded: 0 };
  sums.counted += counted;
  sums.excluded += excluded;
  counters.set(shown, sums);
}
