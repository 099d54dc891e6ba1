import { spreadAdViews } from '#domain';

/** What one recording says of a video: how many ads it has, its events, and those of them that showed ads. */
export type RecordedVideo = readonly [
  videoId: string,
  ads: number,
  counted: number,
  excluded: number,
  adViews: readonly AdViews[],
];

/** So many events, each with `shown` ad views. */
export type AdViews = readonly [shown: number, counted: number, excluded: number];

/** What is added to the counters of one ad. */
export interface AdIncrement {
  readonly videoId: bigint;
  readonly priority: number;
  readonly counted: number;
  readonly excluded: number;
}

interface Sums {
  counted: number;
  excluded: number;
}

/**
 * Spreads the ad views of each event over its video's ads and sums them by ad, in the order of video and priority.
 * Nothing for an ad that was not shown. Rules "Advertisements".
 * @throws DomainError INVALID_AD_COUNT for ad views of a video without ads
 */
export function countAdViews(videos: readonly RecordedVideo[]): AdIncrement[] {
  const byVideo = new Map<string, Map<number, Sums>>();
  for (const [videoId, ads, , , adViews] of videos) {
    if (adViews.length === 0) continue;
    const counters = byVideo.get(videoId) ?? new Map<number, Sums>();
    byVideo.set(videoId, counters);
    for (const views of adViews) addSpread(counters, views, ads);
  }
  return [...byVideo]
    .map(([videoId, counters]) => ({ videoId: BigInt(videoId), counters }))
    .sort((a, b) => (a.videoId < b.videoId ? -1 : 1))
    .flatMap(({ videoId, counters }) =>
      [...counters]
        .sort(([a], [b]) => a - b)
        .map(([priority, { counted, excluded }]) => ({ videoId, priority, counted, excluded })),
    );
}

function addSpread(counters: Map<number, Sums>, [shown, counted, excluded]: AdViews, ads: number): void {
  for (const [index, each] of spreadAdViews(shown, ads).entries()) {
    if (each === 0) break;
    const sums = counters.get(index + 1) ?? { counted: 0, excluded: 0 };
    sums.counted += each * counted;
    sums.excluded += each * excluded;
    counters.set(index + 1, sums);
  }
}
