import { setTimeout as pause } from 'node:timers/promises';
import type { VideoId } from '#domain';
import type { Logger } from '#lib/logging';

/** What is counted live, for display only. */
export interface LiveCounts {
  readonly plays: number;
  readonly views: number;
}

/** A bucket of counters as it is stored. */
export type Bucket = readonly (readonly [videoId: string, plays: number, views: number])[];

export interface CounterStore {
  /** @returns an empty bucket when there is none @throws when the store does not answer */
  load(bucket: number): Promise<{ counts: Bucket; etag: string | undefined }>;
  /** @returns false when another has written since `etag` @throws when the store does not answer */
  save(bucket: number, counts: Bucket, etag: string | undefined): Promise<boolean>;
}

/** Counters are kept together, so that a flood of views on many videos is few writes. Part of stored keys. */
const BUCKETS = 128n;
/** Buckets written in one round: under a flood on all of them, a count waits for up to sixteen rounds. */
const BUCKETS_A_ROUND = 8;
/** How long a bucket that was read is shown without reading it again: other replicas count too. */
const KNOWN_MS = 2_000;
const KNOWN_MAX = 64;
const HURRIED_FLUSH_MS = 20;

type Counts = Map<string, readonly [plays: number, views: number]>;

interface Known {
  readonly counts: Counts;
  readonly atMs: number;
}

/**
 * Live counters of plays and views. Counting is in memory; what was counted is added to the state store every second,
 * by compare-and-set, so that several replicas may count. Lost is at most what was not written when this process dies
 * (usually a second, up to sixteen under a flood) and what the store loses (Redis: a second; all of it when it is emptied).
 */
export class LiveCounters {
  readonly #pending = new Map<number, Counts>();
  readonly #writing = new Map<number, Counts>();
  readonly #known = new Map<number, Known>();
  readonly #stopped = new AbortController();
  readonly #hurried = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(private readonly options: { store: CounterStore; flushMs: number; logger: Logger; now?: () => number }) {}

  start(): void {
    this.#loop = this.#run();
  }

  /** Writes what is counted almost at once from now on: soon the store will be out of reach. */
  hurry(): void {
    this.#hurried.abort();
  }

  /** Writes what is counted, and ends. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    while (this.#pending.size > 0 && (await this.#flush())) {}
  }

  count(videoId: VideoId | string, { plays, views }: LiveCounts): void {
    const bucket = bucketOf(videoId);
    const deltas: Counts = this.#pending.get(bucket) ?? new Map();
    this.#pending.set(bucket, deltas);
    const [playsBefore, viewsBefore] = deltas.get(String(videoId)) ?? [0, 0];
    deltas.set(String(videoId), [playsBefore + plays, viewsBefore + views]);
  }

  /** What is counted by now; without the store, what it said last and what came since. */
  async read(videoId: VideoId): Promise<LiveCounts> {
    const bucket = bucketOf(videoId);
    const counts = await this.#knownCounts(bucket);
    const key = String(videoId);
    const parts = [counts.get(key), this.#writing.get(bucket)?.get(key), this.#pending.get(bucket)?.get(key)];
    return {
      plays: parts.reduce((sum, part) => sum + (part?.[0] ?? 0), 0),
      views: parts.reduce((sum, part) => sum + (part?.[1] ?? 0), 0),
    };
  }

  async #knownCounts(bucket: number): Promise<Counts> {
    const known = this.#known.get(bucket);
    if (known !== undefined && (this.#now() - known.atMs < KNOWN_MS || this.#writing.has(bucket))) return known.counts;
    try {
      const { counts } = await this.options.store.load(bucket);
      // While it was read it may have been written: what was written then is newer.
      if (this.#known.get(bucket) === known && !this.#writing.has(bucket)) this.#learn(bucket, countsOf(counts));
    } catch (error) {
      this.options.logger.warn({ err: error }, 'live counters could not be read');
    }
    return this.#known.get(bucket)?.counts ?? new Map();
  }

  async #run(): Promise<void> {
    const stopped = this.#stopped.signal;
    const hurried = this.#hurried.signal;
    while (!stopped.aborted) {
      const signal = hurried.aborted ? stopped : AbortSignal.any([stopped, hurried]);
      const ms = hurried.aborted ? HURRIED_FLUSH_MS : this.options.flushMs;
      await pause(ms, undefined, { signal }).catch(() => undefined);
      await this.#flush();
    }
  }

  /** Writes the buckets that have waited longest. @returns whether all of them could be written */
  async #flush(): Promise<boolean> {
    const buckets = [...this.#pending.keys()].slice(0, BUCKETS_A_ROUND);
    const results = await Promise.allSettled(buckets.map((bucket) => this.#write(bucket)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) this.options.logger.warn({ err: failed.reason }, 'live counters could not be written');
    return failed === undefined;
  }

  async #write(bucket: number): Promise<void> {
    const deltas = this.#pending.get(bucket)!;
    this.#pending.delete(bucket);
    this.#writing.set(bucket, deltas);
    try {
      const { counts, etag } = await this.options.store.load(bucket);
      const sums = added(countsOf(counts), deltas);
      if (await this.options.store.save(bucket, bucketFrom(sums), etag)) this.#learn(bucket, sums);
      else this.#putBack(deltas);
    } catch (error) {
      this.#putBack(deltas);
      throw error;
    } finally {
      this.#writing.delete(bucket);
    }
  }

  #putBack(deltas: Counts): void {
    for (const [videoId, [plays, views]] of deltas) this.count(videoId, { plays, views });
  }

  #learn(bucket: number, counts: Counts): void {
    this.#known.delete(bucket);
    this.#known.set(bucket, { counts, atMs: this.#now() });
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
  }

  #now(): number {
    return (this.options.now ?? Date.now)();
  }
}

function bucketOf(videoId: VideoId | string): number {
  return Number(BigInt(videoId) % BUCKETS);
}

function countsOf(bucket: Bucket): Counts {
  return new Map(bucket.map(([videoId, plays, views]) => [videoId, [plays, views]]));
}

function bucketFrom(counts: Counts): Bucket {
  return [...counts].map(([videoId, [plays, views]]) => [videoId, plays, views]);
}

function added(counts: Counts, deltas: Counts): Counts {
  for (const [videoId, [plays, views]] of deltas) {
    const [playsBefore, viewsBefore] = counts.get(videoId) ?? [0, 0];
    counts.set(videoId, [playsBefore + plays, viewsBefore + views]);
  }
  return counts;
}
