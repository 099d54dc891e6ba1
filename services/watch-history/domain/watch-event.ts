import type { CreatorId, EventId, KstDay, VideoId, Viewer } from '#domain';

/** A video as far as its events need it. Neither ever changes. */
export interface VideoFacts {
  readonly creatorId: CreatorId;
  readonly lengthSeconds: number;
}

/** A watch event that has passed every check and waits for its decision. */
export interface WatchEvent {
  readonly eventId: EventId;
  readonly videoId: VideoId;
  readonly creatorId: CreatorId;
  /** Advertisements that the video has. */
  readonly ads: number;
  readonly viewer: Viewer;
  /** viewingOf the viewer and the video. */
  readonly viewing: string;
  /** Of `watchedAtMs`, Asia/Seoul. */
  readonly day: KstDay;
  readonly watchedAtMs: number;
  /** Seconds played. */
  readonly playedTime: number;
  /** Seconds into the video. */
  readonly lastWatched: number;
  readonly adViewCount: number;
}

/** What identifies an event, as in the primary key of its table. */
export interface EventKey {
  readonly day: string;
  readonly videoId: bigint | string;
  readonly eventId: EventId;
}

/** Identifies the event as the primary key of its table does. */
export function eventKey({ day, videoId, eventId }: EventKey): string {
  return `${day} ${videoId} ${eventId}`;
}

/** Identifies a viewer's progress in a video; sorts by viewer. */
export function viewingOf(viewer: string, videoId: bigint | string): string {
  return `${viewer} ${videoId}`;
}
