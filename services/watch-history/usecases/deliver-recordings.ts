import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { Logger } from '#lib/logging';
import {
  deleteRecordings,
  markPublished,
  type PendingRecording,
  readPending,
  type WrittenRecording,
} from '../repositories/recording-repository.js';

/** The ways out of this service. */
export interface RecordingOutlets {
  /**
   * Hands recordings to the advertisement service or its reserve. @returns false when neither takes them now: they
   * have the published events, and are asked again later
   */
  readonly advertise: (recordings: readonly WrittenRecording[]) => Promise<boolean>;
  /** Publishes them as one `watch.recorded`. @throws when the broker does not take it */
  readonly publish: (recordings: readonly WrittenRecording[]) => Promise<void>;
}

export interface RecordingDeliveryOptions extends RecordingOutlets {
  readonly primary: DataSource;
  readonly logger: Logger;
  /** Age from which a recording is taken for left behind, in seconds. */
  readonly leftBehindSeconds?: number;
  readonly sweepIntervalMs?: number;
  /**
   * How long the first recording waits for others, in ms: each delivery has costs of its own in six processes. Large ones
   * wait five times as long, since what they cost are rows of counters, of which they have many in common.
   */
  readonly gatherMs?: number;
}

/** Recordings kept in memory for delivery; what comes on top is found by the sweep. */
const WAITING_MAX = 500;
/** Recordings that go out in one call, and characters in them: some nine thousand videos. */
const TOGETHER_MAX = 50;
const CHARACTERS_TOGETHER_MAX = 200_000;
/** Recordings with more characters, some five hundred videos, are large. */
const LARGE_CHARACTERS = 10_000;
const LARGE_WAIT = 5;
const SWEEP_ROWS = 50;
const GATHER_MS = 100;

/**
 * Brings each recording to the advertisement service and to the broker, at least once each, and then removes it from
 * the outbox. Right after the commit it is done from memory; what a death, a full memory or an outage has left behind
 * is found in the table, also when the broker has lost what it had taken.
 */
export class RecordingDelivery {
  #waiting: WrittenRecording[] = [];
  #working: Promise<void> | undefined;
  #sweeper: Promise<void> | undefined;
  readonly #stopped = new AbortController();

  constructor(private readonly options: RecordingDeliveryOptions) {}

  /** Takes a recording that was just committed. Never waits and never throws. */
  offer(recording: WrittenRecording): void {
    if (this.#waiting.length >= WAITING_MAX || this.#stopped.signal.aborted) return;
    this.#waiting.push(recording);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  start(): void {
    this.#sweeper = this.#sweepRegularly();
  }

  /** Ends after what is in memory has had its try. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#working, this.#sweeper]);
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < TOGETHER_MAX) await this.#gather();
      const batch = takeTogether(this.#waiting);
      await this.#deliver(batch.map((recording) => ({ recording, published: false }))).catch((error: unknown) =>
        this.options.logger.warn({ err: error }, 'recordings could not be delivered, the sweep tries again'),
      );
    }
  }

  /** Waits for others, unless it is to stop. */
  async #gather(): Promise<void> {
    const { gatherMs = GATHER_MS } = this.options;
    await this.#pause(gatherMs);
    if (charactersOf(this.#waiting) > LARGE_CHARACTERS) await this.#pause(gatherMs * (LARGE_WAIT - 1));
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    await pause(ms, undefined, { signal }).catch(() => undefined);
  }

  /** @returns whether any of them has come further */
  async #deliver(pending: readonly PendingRecording[]): Promise<boolean> {
    const unpublished = pending.filter(({ published }) => !published).map(({ recording }) => recording);
    const [advertised, published] = await Promise.all([
      this.options.advertise(pending.map(({ recording }) => recording)),
      this.#publish(unpublished),
    ]);
    const done = advertised ? pending.filter((each) => each.published || published) : [];
    await deleteRecordings(this.options.primary, idsOf(done.map(({ recording }) => recording)));
    if (published && !advertised) await markPublished(this.options.primary, idsOf(unpublished));
    return done.length > 0 || (published && unpublished.length > 0);
  }

  /** @returns whether the broker has taken them */
  async #publish(recordings: readonly WrittenRecording[]): Promise<boolean> {
    if (recordings.length === 0) return true;
    try {
      await this.options.publish(recordings);
      return true;
    } catch (error) {
      this.options.logger.warn({ err: error }, 'watch.recorded could not be published, the sweep tries again');
      return false;
    }
  }

  async #sweepRegularly(): Promise<void> {
    const intervalMs = this.options.sweepIntervalMs ?? 5_000;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      // Replicas that were started together shall not sweep together.
      await this.#pause(intervalMs * (0.75 + Math.random() / 2));
      if (signal.aborted) return;
      await this.#sweep().catch((error: unknown) =>
        this.options.logger.warn({ err: error }, 'recordings that were left behind could not be read'),
      );
    }
  }

  /** Those that the broker lacks come first; those that only the advertisement service lacks wait until it answers. */
  async #sweep(): Promise<void> {
    const ageSeconds = this.options.leftBehindSeconds ?? 15;
    for (const published of [false, true]) {
      for (;;) {
        const pending = await readPending(this.options.primary, { published, ageSeconds, limit: SWEEP_ROWS });
        const isLast = pending.length < SWEEP_ROWS;
        let isMoving = false;
        while (pending.length > 0) isMoving = (await this.#deliver(takePending(pending))) || isMoving;
        if (isLast || !isMoving || this.#stopped.signal.aborted) break;
      }
    }
  }
}

function idsOf(recordings: readonly WrittenRecording[]): string[] {
  return recordings.map(({ recordingId }) => recordingId);
}

/** Takes from the front what goes out in one call. */
function takeTogether(waiting: WrittenRecording[]): WrittenRecording[] {
  return waiting.splice(0, fitting(waiting));
}

function takePending(pending: PendingRecording[]): PendingRecording[] {
  return pending.splice(0, fitting(pending.map(({ recording }) => recording)));
}

function fitting(recordings: readonly WrittenRecording[]): number {
  let characters = 0;
  let count = 0;
  for (const { json } of recordings) {
    characters += json.length;
    if (count > 0 && (count >= TOGETHER_MAX || characters > CHARACTERS_TOGETHER_MAX)) break;
    count += 1;
  }
  return count;
}

function charactersOf(recordings: readonly WrittenRecording[]): number {
  return recordings.reduce((sum, { json }) => sum + json.length, 0);
}
