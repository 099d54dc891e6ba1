import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { kstDayOf, sliceOf, type ValidityPolicy } from '#domain';
import { uuidv7 } from '#lib/dapr';
import { inTransaction, isRetryable, type Queryable } from '#lib/database';
import { Gatherer } from '#lib/gather';
import { type IngestMetrics, inSpan } from '#lib/telemetry';
import { type DecidedEvent, decideBatch, type Outcome, type Progress } from '../domain/decide.js';
import { summarize } from '../domain/recording.js';
import { progressKey, type WatchEvent } from '../domain/watch-event.js';
import { insertProgress, lockProgress, replaceProgress } from '../repositories/progress-repository.js';
import { insertRecording, type WrittenRecording, writeRecording } from '../repositories/recording-repository.js';
import { insertEvents, markDirty, storedReasons } from '../repositories/watch-event-repository.js';

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
/** A commit costs as much as a dozen of its events: where calls come together, it waits so many times as long. */
const TOGETHER = 5;

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
    let expectsNew = true;
    for (let attempt = 1; ; attempt++) {
      try {
        const { outcomes, recording } = await inTransaction(this.options.primary, (tx) =>
          this.#recordIn(tx, events, expectsNew),
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

  async #recordIn(tx: Queryable, events: readonly WatchEvent[], expectsNew: boolean) {
    const { outcomes, accepted, moved } = await this.#decideIn(tx, events, expectsNew);
    if (accepted.length === 0) return { outcomes, recording: undefined };
    const nowMs = this.#now();
    const recording = this.#recordingOf(accepted, nowMs);
    await insertEvents(tx, accepted);
    await replaceProgress(tx, moved);
    await insertRecording(tx, recording);
    await markDirty(tx, lateEvents(accepted, nowMs));
    return { outcomes, recording };
  }

  /**
   * Decides on rows of progress that nobody else can change until the transaction ends: all events of one viewer and
   * video, their retries among them, wait there for each other, on whichever replica they arrive. Rows that are there
   * are locked; those that are not are inserted, and where another transaction has been faster, decided anew on its.
   */
  async #decideIn(tx: Queryable, events: readonly WatchEvent[], expectsNew: boolean) {
    const before = await lockProgress(tx, events);
    for (;;) {
      const stored = await storedReasons(
        tx,
        expectsNew ? events.filter((event) => mayBeStored(event, before)) : events,
      );
      const policies = this.options.policies();
      const { outcomes, accepted, progress } = decideBatch({ events, progress: before, stored, policies });
      const { fresh, moved } = divide(progress, before);
      try {
        await insertProgress(tx, fresh);
        return { outcomes, accepted, moved };
      } catch (error) {
        if (!isCollision(error)) throw error;
        // The statement is undone, the transaction goes on.
        const found = await lockProgress(tx, fresh);
        if (found.size === 0) throw error;
        for (const [key, value] of found) before.set(key, value);
      }
    }
  }

  #recordingOf(accepted: readonly DecidedEvent[], nowMs: number): WrittenRecording {
    const recordedAt = new Date(nowMs).toISOString();
    return writeRecording({ recordingId: uuidv7(), recordedAt, videos: summarize(accepted) });
  }
}

/** A stored event has moved its viewer's progress at least to its own instant. */
function mayBeStored(event: WatchEvent, before: ReadonlyMap<string, Progress>): boolean {
  const progress = before.get(progressKey(event));
  return progress !== undefined && event.watchedAtMs <= progress.lastWatchedAtMs;
}

/** Progress that has no row yet, and progress whose row changes. */
function divide(progress: ReadonlyMap<string, Progress>, before: ReadonlyMap<string, Progress>) {
  const fresh: Progress[] = [];
  const moved: Progress[] = [];
  for (const [key, value] of progress) (before.has(key) ? moved : fresh).push(value);
  return { fresh, moved };
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

/** Whether the same transaction may work when it is tried again. */
export function isTransient(error: unknown): boolean {
  if (isRetryable(error)) return true;
  const { fatal, message } = error as { fatal?: boolean; message?: string };
  return fatal === true || /connection is in closed state|Connection lost/i.test(message ?? '');
}
