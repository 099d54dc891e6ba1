import { type CreatorId, type EventId, eventIdToHex32, type KstDay, type VideoId, type Viewer } from '#domain';

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
  /** Of `watchedAtMs`, Asia/Seoul. */
  readonly day: KstDay;
  readonly watchedAtMs: number;
  /** Seconds played. */
  readonly playedTime: number;
  /** Seconds into the video. */
  readonly lastWatched: number;
  readonly adViewCount: number;
}

/** Identifies the event as the primary key of its table does. */
export function eventKey(event: Pick<WatchEvent, 'day' | 'videoId' | 'eventId'>): string {
  return storedEventKey(event.day, event.videoId, eventIdToHex32(event.eventId));
}

export function storedEventKey(day: string, videoId: bigint | string, eventIdHex: string): string {
  return `${day} ${videoId} ${eventIdHex}`;
}

/** Identifies a viewer's progress in a video. */
export function progressKey(event: { readonly viewer: string; readonly videoId: bigint | string }): string {
  return `${event.viewer} ${event.videoId}`;
}
