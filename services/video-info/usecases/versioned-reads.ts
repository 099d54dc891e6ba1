import { BehindError, NoReaderError, type Queryable, type ReaderPool, type ReadSource } from '#lib/database';
import { type Books, readBooks, readVersion } from '#lib/results';

/** A shared store of values that may be lost at any time. Every call has a short deadline and may reject. */
export interface Cache {
  /** The highest version that was ever served, as it is after the call; undefined when the store has none. */
  latest(): Promise<bigint | undefined>;
  /** One entry; undefined when it is not there. */
  read(key: string): Promise<unknown>;
  write(key: string, value: unknown): Promise<void>;
  /** Makes the highest served version at least that one. */
  raiseLatest(version: bigint): Promise<void>;
  /** Makes it that one, also when it was higher. */
  resetLatest(version: bigint): Promise<void>;
}

export type CacheResult = 'hit' | 'miss' | 'unavailable';

export interface VersionedReadsOptions {
  readonly pool: Pick<ReaderPool, 'read' | 'readPrimary'>;
  readonly cache: Cache;
  /** Told of every lookup, e.g. for a metric. */
  readonly onLookup?: (result: CacheResult) => void;
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
const OWN_ENTRIES_MAX = 500;
const OWN_ENTRY_LENGTH_MAX = 16_000;

/**
 * Answers that are never older than one given before. Every completion in batch raises a version in its transaction.
 * Before an answer leaves, its version is written to the shared cache as the latest served; before one is computed or
 * taken from the cache, that latest is read, and a server that has an older version is passed over; before it leaves,
 * it is read again, and an answer that was overtaken is computed anew. Cached answers
 * have their version in their key, so what a slow reader stores late is under a key that nobody asks for any more.
 */
export class VersionedReads {
  /** The highest version that this process knows of. */
  #known = 0n;
  #books: Books | undefined;
  readonly #own = new Map<string, unknown>();

  constructor(private readonly options: VersionedReadsOptions) {}

  /** Notes that a version exists, e.g. because an event told so. */
  async learn(version: bigint): Promise<void> {
    this.#noteVersion(version);
    await this.options.cache.raiseLatest(version);
  }

  /**
   * The answer for `key` (without its version) from the cache, or computed in one snapshot of a database server.
   * @throws NoReaderError when no server can be read from
   */
  async answer<T>(key: string, compute: (context: ReadContext) => Promise<Computed<T>>): Promise<Answer<T>> {
    const cached = await this.#lookUp(key);
    if (cached !== undefined) return { value: cached as T, stale: false };
    for (let attempt = 1; ; attempt += 1) {
      const read = await this.#readOrReset(compute);
      await this.#publish(key, read);
      await this.#lookAgain();
      // A newer one was answered while this one was computed: it is too old now.
      const isOvertaken = read.version < this.#known && !read.stale;
      if (!isOvertaken || attempt === ATTEMPTS_MAX) return { value: read.value, stale: read.stale };
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
      if (!(error instanceof NoReaderError && error.cause instanceof BehindError)) throw error;
      const version = await this.options.pool.readPrimary(readVersion).catch(() => undefined);
      if (version === undefined || version >= this.#known) throw error;
      this.#known = version;
      this.#own.clear();
      await this.options.cache.resetLatest(version).catch(() => undefined);
      return this.#read(compute);
    }
  }

  #read<T>(compute: (context: ReadContext) => Promise<Computed<T>>) {
    const floor = this.#known;
    return this.options.pool.read(async (db, source) => {
      const version = await readVersion(db);
      if (version < floor) throw new BehindError(`${source.server} has version ${version}, ${floor} was served`);
      const books = await this.#booksOf(db, version);
      return { version, stale: source.choice === 'stale-replica', ...(await compute({ db, books, source })) };
    });
  }

  /** What others have answered meanwhile. */
  async #lookAgain(): Promise<void> {
    const latest = await this.options.cache.latest().catch(() => undefined);
    if (latest !== undefined) this.#noteVersion(latest);
  }

  async #lookUp(key: string): Promise<unknown> {
    const { cache, onLookup } = this.options;
    try {
      const latest = await cache.latest();
      if (latest === undefined) await this.learn(await this.options.pool.readPrimary(readVersion));
      else this.#noteVersion(latest);
      const entry = this.#own.get(keyAt(key, this.#known)) ?? (await cache.read(keyAt(key, this.#known)));
      const hit = entry !== undefined && entry !== null;
      onLookup?.(hit ? 'hit' : 'miss');
      return hit ? entry : undefined;
    } catch {
      onLookup?.('unavailable');
      await this.#askPrimary();
      return undefined;
    }
  }

  /** Without the cache, the primary knows the latest version; without it as well, this process's own knowledge has to do. */
  async #askPrimary(): Promise<void> {
    await this.options.pool.readPrimary(readVersion).then(
      (version) => this.#noteVersion(version),
      () => undefined,
    );
  }

  async #publish(key: string, read: { version: bigint; value: unknown; cacheable: boolean; stale: boolean }) {
    const isNew = read.version > this.#known;
    this.#noteVersion(read.version);
    const { cache } = this.options;
    if (isNew) await cache.raiseLatest(read.version).catch(() => undefined);
    if (!read.cacheable || read.stale) return;
    this.#keep(keyAt(key, read.version), read.value);
    void cache.write(keyAt(key, read.version), read.value).catch(() => undefined);
  }

  /** The small ones of the entries that this process wrote, the oldest dropped first: 8 MB at most. */
  #keep(key: string, value: unknown): void {
    if (JSON.stringify(value).length > OWN_ENTRY_LENGTH_MAX) return;
    this.#own.set(key, value);
    if (this.#own.size > OWN_ENTRIES_MAX) this.#own.delete(this.#own.keys().next().value!);
  }

  async #booksOf(db: Queryable, version: bigint): Promise<Books> {
    if (this.#books?.version !== version) this.#books = await readBooks(db, version);
    return this.#books;
  }

  #noteVersion(version: bigint): void {
    if (version > this.#known) this.#known = version;
  }
}

function keyAt(key: string, version: bigint): string {
  return `${key}:v${version}`;
}
