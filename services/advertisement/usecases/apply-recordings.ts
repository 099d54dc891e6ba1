import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { Recording } from '#lib/contract';
import { inTransaction, isRetryable } from '#lib/database';
import { Gatherer } from '#lib/gather';
import { countAdViews } from '../domain/count-ad-views.js';
import {
  addToCounters,
  appliedRecordings,
  deleteAppliedBefore,
  insertAppliedRecordings,
} from '../repositories/ad-counter-repository.js';

/** So long is a recording known; one that is older is refused, since it might have been counted. */
const REMEMBERED_MS = 60 * 86_400_000;
const ATTEMPTS_MAX = 6;
const WAITING_MAX = 2_000;
/** Recordings that this process remembers having counted. */
const KNOWN_MAX = 20_000;

export type Applied = 'applied' | 'duplicate' | 'too old';

export interface RecordingApplierOptions {
  readonly primary: DataSource;
  readonly gatherMs: number;
  readonly recordingsMax: number;
  readonly now?: () => number;
}

/**
 * Counts the ad views of recordings, each recording once, whichever app-id takes it and by whichever way it comes: its
 * id is stored in the transaction that counts it.
 */
export class RecordingApplier {
  readonly #gatherer: Gatherer<Recording, Applied>;
  readonly #known = new Set<string>();

  constructor(private readonly options: RecordingApplierOptions) {
    this.#gatherer = new Gatherer({
      flush: (recordings) => this.#commit(recordings),
      gatherMs: options.gatherMs,
      itemsMax: options.recordingsMax,
      flushesMax: 1,
      waitingMax: WAITING_MAX,
    });
  }

  /** Whether this process knows that the recording is counted; most come by call first, and then by the queue. */
  isKnown(recordingId: string): boolean {
    return this.#known.has(recordingId);
  }

  /**
   * @returns what became of recording i, when it is durable
   * @throws OverloadedError, or what the database threw
   */
  apply(recordings: readonly Recording[]): Promise<readonly Applied[]> {
    return this.#gatherer.submit(recordings);
  }

  drained(): Promise<void> {
    return this.#gatherer.drained();
  }

  /** Forgets recordings that are too old to come again. */
  async forgetOld(): Promise<void> {
    while ((await deleteAppliedBefore(this.options.primary, this.#oldestId())) > 0) await pause(100);
  }

  async #commit(recordings: readonly Recording[]): Promise<Applied[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const results = await this.#commitOnce(recordings);
        this.#remember(recordings.filter((_, index) => results[index] !== 'too old'));
        return results;
      } catch (error) {
        const collided = (error as { code?: string }).code === 'ER_DUP_ENTRY';
        if (attempt >= ATTEMPTS_MAX || !(collided || isRetryable(error))) throw error;
        if (!collided) await pause(10 * attempt * (0.5 + Math.random()));
      }
    }
  }

  async #commitOnce(recordings: readonly Recording[]): Promise<Applied[]> {
    const oldestId = this.#oldestId();
    return inTransaction(this.options.primary, async (tx) => {
      const known = await appliedRecordings(
        tx,
        recordings.map(({ recordingId }) => recordingId),
      );
      const fresh = new Map<string, Recording>();
      const results = recordings.map((recording): Applied => {
        const { recordingId } = recording;
        if (known.has(recordingId) || fresh.has(recordingId)) return 'duplicate';
        if (recordingId < oldestId) return 'too old';
        fresh.set(recordingId, recording);
        return 'applied';
      });
      if (fresh.size === 0) return results;
      await insertAppliedRecordings(tx, [...fresh.keys()].sort());
      await addToCounters(tx, countAdViews([...fresh.values()].flatMap(({ videos }) => videos)));
      return results;
    });
  }

  #remember(recordings: readonly Recording[]): void {
    for (const { recordingId } of recordings) this.#known.add(recordingId);
    for (const oldest of this.#known) {
      if (this.#known.size <= KNOWN_MAX) break;
      this.#known.delete(oldest);
    }
  }

  /** The smallest id of a UUID v7 that is still remembered. */
  #oldestId(): string {
    const hex = ((this.options.now ?? Date.now)() - REMEMBERED_MS).toString(16).padStart(12, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8)}`;
  }
}
