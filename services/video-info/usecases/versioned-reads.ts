import { LRUCache } from 'lru-cache';
import { BehindError, NoReaderError, type Queryable, type ReaderPool, type ReadSource } from '#lib/database';
import { type Books, readBooks, readVersion } from '#lib/results';
import { type Clock, LatestVersion, type SharedVersion } from './latest-version.js';

/** A shared store of values that may be lost at any time. Every call has a short deadline and may reject. */
export interface Cache extends SharedVersion {
  /** One entry; undefined when it is not there. */
  read(key: string): Promise<unknown>;
  write(key: string, value: unknown): Promise<void>;
}

export type CacheResult = 'hit' | 'miss' | 'unavailable';

interface Found {
  readonly result: CacheResult;
  readonly value?: unknown;
}

export interface VersionedReadsOptions {
  readonly pool: Pick<ReaderPool, 'read' | 'readPrimary'>;
  readonly cache: Cache;
  /** Told of every lookup, e.g. for a metric. */
  readonly onLookup?: (result: CacheResult) => void;
  readonly clock?: Clock;
}

/** What an answer is computed from. */
export interface ReadContext {
  readonly db: Queryable;
  readonly books: Books;
  readonly source: ReadSource;
}

export interface Computed<T> {
  readonly value: T;
  /** Whether it cannot change while the version stays the same. */
  readonly cacheable: boolean;
}

/** An answer, and whether the only server that could give it was further behind than allowed. */
export interface Answer<T> {
  readonly value: T;
  readonly stale: boolean;
}

/** While completions come faster than an answer is computed, one of these is good enough. */
const ATTEMPTS_MAX = 5;
/** Characters of what this process keeps of what it answered, beside the shared cache: as text, which takes less room than objects. */
const OWN_LENGTH_MAX = 8_000_000;
const OWN_ENTRY_LENGTH_MAX = 64_000;

/**
 * Answers that are never older than one given before. Every completion in batch raises a version in its transaction. A
 * version is shared before its first answer leaves ({@link LatestVersion}); a server that has an older one than was
 * served is passed over, and an answer that was overtaken meanwhile is computed anew. Cached answers have their version
 * in their key, so what a slow reader stores late is under a key that nobody asks for any more.
 */
export class VersionedReads {
  readonly #latest: LatestVersion;
  #books: Books | undefined;
  readonly #own = new LRUCache<string, string>({
    maxSize: OWN_LENGTH_MAX,
    maxEntrySize: OWN_ENTRY_LENGTH_MAX,
    sizeCalculation: (json) => json.length,
  });

  constructor(private readonly options: VersionedReadsOptions) {
    const { pool, cache, clock } = options;
    this.#latest = new LatestVersion({
      shared: cache,
      readPrimary: () => pool.readPrimary(readVersion),
      onReset: () => this.#own.clear(),
      ...(clock && { clock }),
    });
  }

  /** Notes that a version exists, e.g. because an event told so. @throws when the others cannot be told */
  learn(version: bigint): Promise<void> {
    return this.#latest.raise(version);
  }

  /**
   * The answer for `key` (without its version) from the cache, or computed in one snapshot of a database server.
   * @throws NoReaderError when no server can be read from
   */
  async answer<T>(key: string, compute: (context: ReadContext) => Promise<Computed<T>>): Promise<Answer<T>> {
    await this.#latest.refresh();
    const version = this.#latest.known;
    const cached = await this.#lookUp(keyAt(key, version));
    if (cached !== undefined && (await this.#latest.admits(version))) return { value: cached as T, stale: false };
    for (let attempt = 1; ; attempt += 1) {
      const read = await this.#readOrReset(compute);
      await this.#latest.raise(read.version).catch(() => undefined);
      this.#store(key, read);
      const isLatest = await this.#latest.admits(read.version);
      // A newer one was answered while this one was computed: it is too old now.
      if (isLatest || read.stale || attempt === ATTEMPTS_MAX) return { value: read.value, stale: read.stale };
    }
  }

  /**
   * The primary cannot be behind what was answered, unless it was restored from a backup: then its version is the one
   * to go on from.
   */
  async #readOrReset<T>(compute: (context: ReadContext) => Promise<Computed<T>>) {
    try {
      return await this.#read(compute);
    } catch (error) {
      const isBehind = error instanceof NoReaderError && error.cause instanceof BehindError;
      if (!isBehind || !(await this.#latest.resetToPrimary())) throw error;
      return this.#read(compute);
    }
  }

  #read<T>(compute: (context: ReadContext) => Promise<Computed<T>>) {
    const floor = this.#latest.known;
    return this.options.pool.read(async (db, source) => {
      const version = await readVersion(db);
      if (version < floor) throw new BehindError(`${source.server} has version ${version}, ${floor} was served`);
      const books = await this.#booksOf(db, version);
      return { version, stale: source.choice === 'stale-replica', ...(await compute({ db, books, source })) };
    });
  }

  async #lookUp(key: string): Promise<unknown> {
    const own = this.#own.get(key);
    const found: Found = own === undefined ? await this.#readShared(key) : { result: 'hit', value: JSON.parse(own) };
    this.options.onLookup?.(found.result);
    return found.value;
  }

  async #readShared(key: string): Promise<Found> {
    if (!this.#latest.isShared) return { result: 'unavailable' };
    try {
      const value = (await this.options.cache.read(key)) ?? undefined;
      if (value === undefined) return { result: 'miss' };
      this.#keep(key, value);
      return { result: 'hit', value };
    } catch {
      return { result: 'unavailable' };
    }
  }

  #store(key: string, read: { version: bigint; value: unknown; cacheable: boolean; stale: boolean }): void {
    if (!read.cacheable || read.stale) return;
    this.#keep(keyAt(key, read.version), read.value);
    void this.options.cache.write(keyAt(key, read.version), read.value).catch(() => undefined);
  }

  #keep(key: string, value: unknown): void {
    this.#own.set(key, JSON.stringify(value));
  }

  async #booksOf(db: Queryable, version: bigint): Promise<Books> {
    if (this.#books?.version !== version) this.#books = await readBooks(db, version);
    return this.#books;
  }
}

function keyAt(key: string, version: bigint): string {
  return `${key}:v${version}`;
}
