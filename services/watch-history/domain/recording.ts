import { isCounted, type RecordedAdViews, type RecordedVideo } from '#domain';
import type { DecidedEvent } from './decide.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type AdViewsTally = Writable<RecordedAdViews>;

interface VideoTally {
  readonly ads: number;
  counted: number;
  excluded: number;
  /** Few, so that a list is as good as a map. */
  readonly adViews: AdViewsTally[];
}

/**
 * Sums the events of a commit by video, for its recording: an event is part of exactly one, so whoever applies each
 * recording once has counted each event once.
 */
export function summarize(accepted: readonly DecidedEvent[]): RecordedVideo[] {
  const videos = new Map<bigint, VideoTally>();
  for (const { event, reason } of accepted) {
    let tally = videos.get(event.videoId);
    if (tally === undefined) {
      tally = { ads: event.ads, counted: 0, excluded: 0, adViews: [] };
      videos.set(event.videoId, tally);
    }
    const counts = isCounted(reason);
    if (counts) tally.counted += 1;
    else tally.excluded += 1;
    if (event.adViewCount > 0) add(tally.adViews, event.adViewCount, counts);
  }
  return [...videos].map(([videoId, { ads, counted, excluded, adViews }]) => [
    String(videoId),
    ads,
    counted,
    excluded,
    adViews,
  ]);
}

function add(adViews: AdViewsTally[], shown: number, counts: boolean): void {
  let tally = adViews.find((each) => each[0] === shown);
  if (tally === undefined) {
    tally = [shown, 0, 0];
    adViews.push(tally);
  }
  tally[counts ? 1 : 2] += 1;
}
