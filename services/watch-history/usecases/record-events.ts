import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { kstDayOf, sliceOf, type ValidityPolicy } from '#domain';
import { writeVideos } from '#lib/contract';
import { uuidv7 } from '#lib/dapr';
import { inTransaction, isTransient, type Queryable } from '#lib/database';
import { Gatherer } from '#lib/gather';
import { type IngestMetrics, inSpan } from '#lib/telemetry';
import { type DecidedEvent, decideBatch, type Outcome, type Progress } from '../domain/decide.js';
import { summarize } from '../domain/recording.js';
import type { WatchEvent } from '../domain/watch-event.js';
import { insertProgress, lockProgress, replaceProgress } from '../repositories/progress-repository.js';
import { insertRecording, type WrittenRecording, writeRecording } from '../repositories/recording-repository.js';
import {
  type EventRow,
  insertEvents,
  markDirty,
  storedReasons,
  writeRows,
} from '../repositories/watch-event-repository.js';

export interface EventRecorderOptions {
  readonly primary: DataSource;
  /** The versions of the validity policy that are known now. */
  readonly policies: () => readonly ValidityPolicy[];
  /** Called after the commit. */
  readonly onRecorded: (recording: WrittenRecording) => void;
  readonly gatherMs: number;
  readonly eventsMax: number;
  readonly commitsMax: number;
  readonly waitingMax: number;
  /** How long a commit is tried again while the primary cannot be reached, in ms. */
  readonly deadlineMs: number;
  readonly now?: () => number;
  readonly metrics: IngestMetrics;
}

/** Longer than any transaction lives: within it of midnight an event counts as late, lest a run miss it. */
const LATE_MARGIN_MS = 60_000;
const RETRY_MS_MAX = 250;
/** New rows of progress that are inserted by one statement. */
const PART_ROWS = 250;
/** A commit costs as much as a dozen of its events: where calls come together, it waits so many times as long. */
const TOGETHER = 5;

/** Events that are committed together. */
interface Batch {
  readonly events: readonly WatchEvent[];
  readonly rows: readonly EventRow[];
  /** Whether only those are looked for that the viewers' progress says may be stored. */
  readonly expectsNew: boolean;
}

/**
 * Stores watch events: decided, durable, and deduplicated for ever by their primary key. Concurrent calls are gathered
 * and committed together; each is answered after the commit.
 */
export class EventRecorder {
  readonly #gatherer: Gatherer<WatchEvent, Outcome>;
  readonly #now: () => number;

  constructor(private readonly options: EventRecorderOptions) {
    this.#now = options.now ?? Date.now;
    this.#gatherer = new Gatherer({
      flush: (events) => this.#measure(events),
      gatherMs: options.gatherMs,
      gatherTogetherMs: options.gatherMs * TOGETHER,
      itemsMax: options.eventsMax,
      flushesMax: options.commitsMax,
      waitingMax: options.waitingMax,
    });
  }

  /**
   * @returns outcome i of event i, when all of them are durable
   * @throws OverloadedError when too many events wait, or what the database threw; then none may have been stored,
   * and sending them again is right
   */
  record(events: readonly WatchEvent[]): Promise<readonly Outcome[]> {
    return this.#gatherer.submit(events);
  }

  /** Waits until what was handed in is answered. */
  drained(): Promise<void> {
    return this.#gatherer.drained();
  }

  /** A gathered commit belongs to the trace of the event that it began with. */
  async #measure(events: readonly WatchEvent[]): Promise<readonly Outcome[]> {
    const { commitEvents, commitSeconds } = this.options.metrics;
    commitEvents.observe(events.length);
    const endTimer = commitSeconds.startTimer();
    const attributes = { 'playbill.events': events.length };
    const outcomes = await inSpan('commit of events', { attributes }, () => this.#commit(events));
    endTimer();
    return outcomes;
  }

  /**
   * Looks for those events that the viewers' progress says may be stored, and expects the others to be new; after a
   * collision with an event it looks for all. A commit whose answer was lost is found that way too: its events are then
   * duplicates.
   */
  async #commit(events: readonly WatchEvent[]): Promise<readonly Outcome[]> {
    const giveUpAt = performance.now() + this.options.deadlineMs;
    const rows = writeRows(events);
    let expectsNew = true;
    for (let attempt = 1; ; attempt++) {
      try {
        const { outcomes, recording } = await inTransaction(this.options.primary, (tx) =>
          this.#recordIn(tx, { events, rows, expectsNew }),
        );
        if (recording !== undefined) this.options.onRecorded(recording);
        return outcomes;
      } catch (error) {
        const collided = isCollision(error);
        if (!collided && !isTransient(error)) throw error;
        if (performance.now() >= giveUpAt) throw error;
        if (collided) expectsNew = false;
        else await pause(Math.min(RETRY_MS_MAX, 2 ** attempt) * (0.5 + Math.random()));
      }
    }
  }

  async #recordIn(tx: Queryable, { events, rows, expectsNew }: Batch) {
    const { outcomes, accepted, moved } = await this.#decideIn(tx, events, expectsNew);
    if (accepted.length === 0) return { outcomes, recording: undefined };
    const nowMs = this.#now();
    const recording = this.#recordingOf(accepted, nowMs);
    await insertEvents(tx, { rows, accepted });
    await replaceProgress(tx, moved);
    await insertRecording(tx, recording);
    await markDirty(tx, lateEvents(accepted, nowMs));
    return { outcomes, recording };
  }

  /**
   * Decides on rows of progress that nobody else can change until the transaction ends: all events of one viewer and
   * video, their retries among them, wait there for each other, on whichever replica they arrive. Rows that are there
   * are locked; those that are not are inserted, and where another transaction has been faster, decided anew on its.
   * They are inserted part by part, since a collision undoes the part in which it happens.
   */
  async #decideIn(tx: Queryable, events: readonly WatchEvent[], expectsNew: boolean) {
    const before = await lockProgress(tx, new Map(events.map((event) => [event.viewing, event])));
    const inserted = new Map<string, Progress>();
    for (;;) {
      const stored = await storedReasons(
        tx,
        expectsNew ? events.filter((event) => mayBeStored(event, before)) : events,
      );
      const policies = this.options.policies();
      const { outcomes, accepted, progress } = decideBatch({ events, progress: before, stored, policies });
      requireInserted(progress, inserted);
      const { fresh, moved } = divide(progress, { before, inserted });
      const found = await insertParts(tx, fresh, inserted);
      if (found === undefined) return { outcomes, accepted, moved };
      for (const [viewing, value] of found) before.set(viewing, value);
    }
  }

  #recordingOf(accepted: readonly DecidedEvent[], nowMs: number): WrittenRecording {
    const recordedAt = new Date(nowMs).toISOString();
    return writeRecording({ recordingId: uuidv7(), recordedAt, videos: writeVideos(summarize(accepted)) });
  }
}

/** A stored event has moved its viewer's progress at least to its own instant. */
function mayBeStored(event: WatchEvent, before: ReadonlyMap<string, Progress>): boolean {
  const progress = before.get(event.viewing);
  return progress !== undefined && event.watchedAtMs <= progress.lastWatchedAtMs;
}

type ProgressMap = ReadonlyMap<string, Progress>;

/** Progress that has no row yet, and progress whose row changes. */
function divide(progress: ProgressMap, { before, inserted }: { before: ProgressMap; inserted: ProgressMap }) {
  const fresh = new Map<string, Progress>();
  const moved = new Map<string, Progress>();
  for (const [viewing, value] of progress) {
    const own = inserted.get(viewing);
    if (own === undefined && !before.has(viewing)) fresh.set(viewing, value);
    else if (own === undefined || !isSameProgress(own, value)) moved.set(viewing, value);
  }
  return { fresh, moved };
}

/**
 * What was inserted stays: @throws CollisionError when it would not have been by what is known now, since its event was
 * stored under another viewer meanwhile
 */
function requireInserted(progress: ProgressMap, inserted: ProgressMap): void {
  for (const viewing of inserted.keys()) {
    if (!progress.has(viewing)) throw new CollisionError(`${viewing} has been inserted for a duplicate`);
  }
}

/** As a row that was there, for which the server itself refuses an insert. */
class CollisionError extends Error {
  readonly code = 'ER_DUP_ENTRY';
}

function isSameProgress(a: Progress, b: Progress): boolean {
  const isSamePlace = a.lastWatched === b.lastWatched && a.lastWatchedAtMs === b.lastWatchedAtMs;
  return isSamePlace && a.latestCountedAtMs === b.latestCountedAtMs;
}

/**
 * Inserts progress part by part, and adds what is in to `inserted`.
 * @returns undefined when all is in; else, locked, the rows that another transaction has inserted before
 */
async function insertParts(tx: Queryable, fresh: ProgressMap, inserted: Map<string, Progress>) {
  for (const part of partsOf(fresh)) {
    try {
      await insertProgress(tx, part);
    } catch (error) {
      if (!isCollision(error)) throw error;
      // The statement is undone, the transaction goes on.
      const found = await lockProgress(tx, part);
      if (found.size === 0) throw error;
      return found;
    }
    for (const [viewing, value] of part) inserted.set(viewing, value);
  }
  return undefined;
}

/** In the order of their texts, so that two transactions insert in the same order. */
function partsOf(progress: ProgressMap): Map<string, Progress>[] {
  const viewings = [...progress.keys()].sort();
  const parts: Map<string, Progress>[] = [];
  for (let at = 0; at < viewings.length; at += PART_ROWS) {
    parts.push(new Map(viewings.slice(at, at + PART_ROWS).map((viewing) => [viewing, progress.get(viewing)!])));
  }
  return parts;
}

/** Where the events lie whose day is over, or nearly. */
function lateEvents(accepted: readonly DecidedEvent[], nowMs: number) {
  const today = kstDayOf(nowMs + LATE_MARGIN_MS);
  return accepted
    .filter(({ event }) => event.day < today)
    .map(({ event }) => ({ day: event.day, slice: sliceOf(event.videoId) }));
}

/** Whether a row was there that was expected not to be. */
function isCollision(error: unknown): boolean {
  return (error as { code?: string }).code === 'ER_DUP_ENTRY';
}
