import { isCounted } from '#domain';
import type { DecidedEvent } from './decide.js';

/**
 * Part of the event `watch.recorded`: what one commit has added, by video. An event is part of exactly one
 * recording, so whoever applies each recording once has counted each event once.
 */
export interface Recording {
  /** UUID v7. */
  readonly recordingId: string;
  /** RFC 3339, UTC. */
  readonly recordedAt: string;
  readonly videos: readonly RecordedVideo[];
}

/** A video: how many ads it has, its events that count and that do not, and those of them that showed ads. */
export type RecordedVideo = readonly [
  videoId: string,
  ads: number,
  counted: number,
  excluded: number,
  adViews: readonly RecordedAdViews[],
];

/** So many events, each with `shown` ad views. */
export type RecordedAdViews = readonly [shown: number, counted: number, excluded: number];

interface Tally {
  counted: number;
  excluded: number;
}

interface VideoTally extends Tally {
  readonly ads: number;
  readonly byShown: Map<number, Tally>;
}

/** Sums the events of a commit by video. */
export function summarize(accepted: readonly DecidedEvent[]): RecordedVideo[] {
  const videos = new Map<bigint, VideoTally>();
  for (const { event, reason } of accepted) {
    let tally = videos.get(event.videoId);
    if (tally === undefined) {
      tally = { ads: event.ads, counted: 0, excluded: 0, byShown: new Map() };
      videos.set(event.videoId, tally);
    }
    add(tally, isCounted(reason));
    if (event.adViewCount > 0) {
      const shown = tally.byShown.get(event.adViewCount) ?? { counted: 0, excluded: 0 };
      tally.byShown.set(event.adViewCount, add(shown, isCounted(reason)));
    }
  }
  return [...videos].map(([videoId, { ads, counted, excluded, byShown }]) => [
    String(videoId),
    ads,
    counted,
    excluded,
    [...byShown].map(([shown, tally]) => [shown, tally.counted, tally.excluded]),
  ]);
}

function add(tally: Tally, counted: boolean): Tally {
  if (counted) tally.counted += 1;
  else tally.excluded += 1;
  return tally;
}
