import { isCounted } from '#domain';
import type { DecidedEvent } from './decide.js';

/**
 * The data of the event `watch.recorded`: what one commit has added, by video. An event is part of exactly one
 * recording, so whoever applies each recording once has counted each event once.
 */
export interface Recording {
  /** UUID v7. */
  readonly recordingId: string;
  /** RFC 3339, UTC. */
  readonly recordedAt: string;
  readonly videos: readonly RecordedVideo[];
}

export interface RecordedVideo {
  readonly videoId: string;
  /** Advertisements that the video has. */
  readonly ads: number;
  /** Events that count. */
  readonly counted: number;
  /** Events that do not count. */
  readonly excluded: number;
  /** The events in which advertisements were shown, by how many. */
  readonly adViews: readonly RecordedAdViews[];
}

/** So many events, each with `shown` ad views. */
export interface RecordedAdViews {
  readonly shown: number;
  readonly counted: number;
  readonly excluded: number;
}

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
  return [...videos].map(([videoId, { ads, counted, excluded, byShown }]) => ({
    videoId: String(videoId),
    ads,
    counted,
    excluded,
    adViews: [...byShown].map(([shown, tally]) => ({ shown, ...tally })),
  }));
}

function add(tally: Tally, counted: boolean): Tally {
  if (counted) tally.counted += 1;
  else tally.excluded += 1;
  return tally;
}
