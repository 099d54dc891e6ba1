import {
  decideReason,
  isCounted,
  policyOn,
  REASON,
  type ReasonCode,
  type ValidityPolicy,
  type VideoId,
  type Viewer,
} from '#domain';
import { eventKey, type WatchEvent } from './watch-event.js';

/** Where a viewer left off in a video, and what the repeat rule needs. */
export interface Progress {
  readonly viewer: Viewer;
  readonly videoId: VideoId;
  /** Seconds into the video. */
  readonly lastWatched: number;
  /** `watchedAt` of the event that moved it. */
  readonly lastWatchedAtMs: number;
  /** `watchedAt` of the latest counted event; null when none was. */
  readonly latestCountedAtMs: number | null;
}

export interface Outcome {
  readonly reason: ReasonCode;
  /** The event was there already; `reason` is what was decided then. */
  readonly duplicate: boolean;
}

export interface DecideInput {
  /** In the order of their arrival. */
  readonly events: readonly WatchEvent[];
  /** By viewing; none for a viewer's first event of a video. */
  readonly progress: ReadonlyMap<string, Progress>;
  /** What was decided of events that are stored already, by eventKey. */
  readonly stored: ReadonlyMap<string, ReasonCode>;
  readonly policies: readonly ValidityPolicy[];
}

export interface DecidedEvent {
  readonly event: WatchEvent;
  readonly reason: ReasonCode;
}

export interface Decisions {
  /** Outcome i is event i's. */
  readonly outcomes: readonly Outcome[];
  /** The events that are new, with their reasons. */
  readonly accepted: readonly DecidedEvent[];
  /** Progress that has changed, by viewing. */
  readonly progress: ReadonlyMap<string, Progress>;
}

/**
 * Decides a batch of events one after the other, each on what the ones before it have left. Duplicates, of stored
 * events or within the batch, get the first one's outcome and change nothing. Watch event rules 3 and 5.
 */
export function decideBatch({ events, progress, stored, policies }: DecideInput): Decisions {
  const outcomes: Outcome[] = [];
  const accepted: DecidedEvent[] = [];
  const changed = new Map<string, Progress>();
  const decided = new DecidedEvents(stored);
  for (const event of events) {
    const earlier = decided.reasonOf(event);
    if (earlier !== undefined) {
      outcomes.push({ reason: earlier, duplicate: true });
      continue;
    }
    const before = changed.get(event.viewing) ?? progress.get(event.viewing);
    const reason = decideReason({
      policy: policyOn(policies, event.day),
      viewer: event.viewer,
      creatorId: event.creatorId,
      watchedAtMs: event.watchedAtMs,
      playedSeconds: event.playedTime,
      latestCountedAtMs: before?.latestCountedAtMs ?? null,
    });
    const fresh = { event, reason };
    decided.add(fresh);
    outcomes.push({ reason, duplicate: false });
    accepted.push(fresh);
    changed.set(event.viewing, progressAfter(before, event, isCounted(reason)));
  }
  return { outcomes, accepted, progress: changed };
}

/** What was decided before. Ids are nearly always unlike, so the rest of a key is looked at only where they are alike. */
class DecidedEvents {
  readonly #storedIds: ReadonlySet<string>;
  readonly #byId = new Map<string, DecidedEvent>();
  /** With an id that another event of the batch has as well. */
  readonly #others: DecidedEvent[] = [];

  constructor(private readonly stored: ReadonlyMap<string, ReasonCode>) {
    this.#storedIds = new Set([...stored.keys()].map((key) => key.slice(key.lastIndexOf(' ') + 1)));
  }

  add(decided: DecidedEvent): void {
    if (this.#byId.has(decided.event.eventId)) this.#others.push(decided);
    else this.#byId.set(decided.event.eventId, decided);
  }

  reasonOf(event: WatchEvent): ReasonCode | undefined {
    const stored = this.#storedIds.has(event.eventId) ? this.stored.get(eventKey(event)) : undefined;
    if (stored !== undefined) return stored;
    const alike = this.#byId.get(event.eventId);
    if (alike === undefined || isSame(alike.event, event)) return alike?.reason;
    return this.#others.find((other) => isSame(other.event, event))?.reason;
  }
}

function isSame(a: WatchEvent, b: WatchEvent): boolean {
  return a.eventId === b.eventId && a.videoId === b.videoId && a.day === b.day;
}

/** An event that was watched before the one that moved the position last does not move it back. */
function progressAfter(before: Progress | undefined, event: WatchEvent, counted: boolean): Progress {
  const { viewer, videoId, watchedAtMs, lastWatched } = event;
  const countedAtMs = counted ? watchedAtMs : null;
  if (before === undefined) {
    return { viewer, videoId, lastWatched, lastWatchedAtMs: watchedAtMs, latestCountedAtMs: countedAtMs };
  }
  const isLater = watchedAtMs >= before.lastWatchedAtMs;
  return {
    viewer,
    videoId,
    lastWatched: isLater ? lastWatched : before.lastWatched,
    lastWatchedAtMs: isLater ? watchedAtMs : before.lastWatchedAtMs,
    latestCountedAtMs: laterOf(before.latestCountedAtMs, countedAtMs),
  };
}

function laterOf(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

/**
 * What was decided at first of an event whose reason is now this: an operator revokes only events that counted. A
 * duplicate is answered with the first answer's content, for ever.
 */
export function firstReason(reason: ReasonCode): ReasonCode {
  return reason === REASON.REVOKED ? REASON.COUNTED : reason;
}
