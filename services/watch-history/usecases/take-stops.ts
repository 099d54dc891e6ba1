import {
  adsOf,
  checkWatchEvent,
  type EventId,
  type FieldError,
  kstDayOf,
  reasonName,
  type VideoId,
  type Viewer,
} from '#domain';
import type { RequestIdentity } from '#lib/http';
import type { IngestMetrics } from '#lib/telemetry';
import { firstReason, type Outcome } from '../domain/decide.js';
import { type VideoFacts, viewingOf, type WatchEvent } from '../domain/watch-event.js';
import { eventIdAt } from './event-identity.js';
import type { EventRecorder } from './record-events.js';
import type { VideoDirectory } from './video-directory.js';

/** A stop as it was sent, every field of its kind. */
export interface Stop {
  readonly videoId: VideoId;
  readonly viewer: Viewer;
  readonly playedTime: number;
  readonly lastWatched: number;
  readonly adViewCount: number;
  readonly eventId?: EventId | undefined;
  /** Instant in ms. */
  readonly watchedAt?: number | undefined;
}

/** Why a stop is not taken. */
export class Refusal {
  constructor(
    readonly errors: readonly FieldError[],
    /** As it was sent. */
    readonly eventId: string | null = null,
    readonly isUnknownVideo = false,
  ) {}
}

/** What became of a stop. */
export type StopResult = Refusal | { readonly event: WatchEvent; readonly outcome: Outcome };

export interface StopServices {
  readonly videos: Pick<VideoDirectory, 'lookUp'>;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly now: () => number;
  readonly metrics: IngestMetrics;
}

export interface StopsRequest {
  readonly identity: RequestIdentity;
  /** Stop i, or what is wrong with it already. */
  readonly stops: readonly (Stop | Refusal)[];
}

/**
 * Checks stops and records those that pass; one that does not changes nothing for the others.
 * @returns result i of stop i, when what was accepted is durable
 * @throws when the video service or the primary cannot be asked: then sending all of them again is right
 */
export async function takeStops(services: StopServices, request: StopsRequest): Promise<StopResult[]> {
  const readable = request.stops.filter((stop): stop is Stop => !(stop instanceof Refusal));
  const videos = await services.videos.lookUp(readable.map(({ videoId }) => videoId));
  const nowMs = services.now();
  let video = 0;
  const checked = request.stops.map((stop, index) =>
    stop instanceof Refusal ? stop : checkStop({ stop, index, video: videos[video++], nowMs }, request.identity),
  );
  const events = checked.filter((stop): stop is WatchEvent => !(stop instanceof Refusal));
  const outcomes = await services.recorder.record(events);
  let at = 0;
  const results = checked.map((stop) => (stop instanceof Refusal ? stop : { event: stop, outcome: outcomes[at++]! }));
  countOutcomes(services.metrics, results);
  return results;
}

/** Adds once for each outcome, not for each of a thousand events. */
function countOutcomes({ events }: IngestMetrics, results: readonly StopResult[]): void {
  const counts = new Map<string, { labels: ReturnType<typeof labelsOf>; count: number }>();
  for (const result of results) {
    const labels = labelsOf(result);
    const key = `${labels.outcome} ${labels.reason}`;
    const counted = counts.get(key);
    if (counted === undefined) counts.set(key, { labels, count: 1 });
    else counted.count += 1;
  }
  for (const { labels, count } of counts.values()) events.inc(labels, count);
}

/** A rejected event's reason is the first field that is wrong, of which there are few. */
function labelsOf(result: StopResult): { outcome: string; reason: string } {
  if (result instanceof Refusal) return { outcome: 'rejected', reason: result.errors[0]?.field ?? 'body' };
  const { duplicate, reason } = result.outcome;
  return { outcome: duplicate ? 'duplicate' : 'accepted', reason: reasonName(firstReason(reason)) };
}

interface StopToCheck {
  readonly stop: Stop;
  readonly index: number;
  readonly video: VideoFacts | undefined;
  readonly nowMs: number;
}

function checkStop({ stop, index, video, nowMs }: StopToCheck, identity: RequestIdentity): WatchEvent | Refusal {
  const sentId = stop.eventId ?? null;
  if (video === undefined) {
    return new Refusal([{ field: 'videoId', message: 'There is no such video.' }], sentId, true);
  }
  const { videoId, viewer, eventId, playedTime, lastWatched, adViewCount } = stop;
  const input = { eventId, playedTime, lastWatched, adViewCount, watchedAtMs: stop.watchedAt };
  const errors = checkWatchEvent(input, video, nowMs);
  if (errors.length > 0) return new Refusal(errors, sentId);
  const watchedAtMs = stop.watchedAt ?? identity.receivedAtMs;
  return {
    eventId: eventId ?? eventIdAt(identity, index),
    videoId,
    creatorId: video.creatorId,
    ads: adsOf(video.lengthSeconds),
    viewer,
    viewing: viewingOf(viewer, videoId),
    day: kstDayOf(watchedAtMs),
    watchedAtMs,
    playedTime,
    lastWatched,
    adViewCount,
  };
}
