import { BehindError, NoReaderError, type Queryable, type ReadSource } from '#lib/database';
import { type Cache, VersionedReads } from '../../../services/video-info/usecases/versioned-reads.js';

/** A shared cache in memory, as several replicas of the service see it. */
class MemoryCache implements Cache {
  readonly entries = new Map<string, unknown>();
  highest: bigint | undefined;
  isDown = false;
  keepsEntries = true;

  async read(key: string) {
    if (this.isDown) throw new Error('down');
    return this.entries.get(key);
  }

  async latest() {
    if (this.isDown) throw new Error('down');
    return this.highest;
  }

  async write(key: string, value: unknown) {
    if (!this.isDown && this.keepsEntries) this.entries.set(key, value);
  }

  async resetLatest(version: bigint) {
    this.highest = version;
  }

  async raiseLatest(version: bigint) {
    if (this.isDown) throw new Error('down');
    if (this.highest === undefined || version > this.highest) this.highest = version;
  }
}

/** A database server that has a version; what is read of it is that version's value. */
class Server {
  constructor(
    readonly name: string,
    public version: bigint,
    public choice: ReadSource['choice'] = 'preferred',
  ) {}

  readonly db: Queryable = {
    query: async (sql) => (sql.includes('read_model') ? [{ version: String(this.version) }] : []),
  };
}

/** The rule of the reader pool: the next server when one is behind. */
class Pool {
  constructor(
    readonly servers: readonly Server[],
    readonly primary: Server,
  ) {}

  async read<T>(work: (db: Queryable, source: ReadSource) => Promise<T>): Promise<T> {
    for (const server of [...this.servers, this.primary]) {
      try {
        return await work(server.db, { server: server.name, choice: server.choice, lagMs: 0 });
      } catch (error) {
        if (!(error instanceof BehindError)) throw error;
      }
    }
    throw new NoReaderError('none', { cause: new BehindError() });
  }

  readPrimary<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    return work(this.primary.db);
  }
}

/** Time goes on by waiting alone. */
class ManualClock {
  #nowMs = 0;

  now() {
    return this.#nowMs;
  }

  async wait(ms: number) {
    this.#nowMs += ms;
  }
}

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

const compute = (server: Server) => async () => ({ value: `revision ${server.version}`, cacheable: true });

/** Computes from the server that was chosen. */
function answerFrom(reads: VersionedReads, _pool: Pool) {
  return reads.answer('bill', async ({ books }) => {
    return { value: `revision ${books.version}`, cacheable: true };
  });
}

describe('a revision is never answered after a newer one', () => {
  test('by the replica of the database that is behind, to the other replica of the service', async () => {
    const cache = new MemoryCache();
    cache.keepsEntries = false;
    const [fresh, behind, primary] = [
      new Server('replica-1', 6n),
      new Server('replica-2', 5n),
      new Server('primary', 6n),
    ];
    const first = new VersionedReads({ pool: new Pool([fresh], primary), cache, clock });
    const secondPool = new Pool([behind], primary);
    const second = new VersionedReads({ pool: secondPool, cache, clock });
    expect((await answerFrom(first, secondPool)).value).toBe('revision 6');
    expect((await answerFrom(second, secondPool)).value).toBe('revision 6');
  });

  test.each([
    ['the same process', true],
    ['another process', false],
  ])(
    'by a slow reader in %s that finishes after the new one was served, and whatever it stores',
    async (_where, isSame) => {
      const cache = new MemoryCache();
      const [replica, primary] = [new Server('replica-1', 5n), new Server('primary', 5n)];
      const pool = new Pool([replica], primary);
      const slow = new VersionedReads({ pool, cache, clock });
      const quick = isSame ? slow : new VersionedReads({ pool, cache, clock });
      let goOn: () => void = () => undefined;
      const paused = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const old = slow.answer('bill', async ({ books }) => {
        const value = `revision ${books.version}`;
        await paused;
        return { value, cacheable: true };
      });
      await new Promise((resolve) => setImmediate(resolve));
      for (const server of [replica, primary]) server.version = 6n;
      await quick.learn(6n);
      expect((await answerFrom(quick, pool)).value).toBe('revision 6');
      goOn();
      expect((await old).value).toBe('revision 6');
      await new Promise((resolve) => setImmediate(resolve));
      for (const reads of [quick, slow, new VersionedReads({ pool, cache, clock })]) {
        expect((await answerFrom(reads, pool)).value).toBe('revision 6');
      }
    },
  );

  test('from the cache, once an event has told of a newer one', async () => {
    const cache = new MemoryCache();
    const server = new Server('replica-1', 5n);
    const primary = new Server('primary', 5n);
    const pool = new Pool([server], primary);
    const reads = new VersionedReads({ pool, cache, clock });
    await answerFrom(reads, pool);
    primary.version = 6n;
    await reads.learn(6n);
    expect((await answerFrom(reads, pool)).value).toBe('revision 6');
  });

  test('by a process that does not look for a while: what is new waits until its look has ended', async () => {
    const cache = new MemoryCache();
    const [replica, primary] = [new Server('replica-1', 5n), new Server('primary', 5n)];
    const pool = new Pool([replica], primary);
    const [first, second] = [new VersionedReads({ pool, cache, clock }), new VersionedReads({ pool, cache, clock })];
    for (const reads of [first, second]) await answerFrom(reads, pool);
    // Both have looked just now, and go by it.
    await clock.wait(1_000);
    for (const reads of [first, second]) expect((await answerFrom(reads, pool)).value).toBe('revision 5');
    for (const server of [replica, primary]) server.version = 6n;
    await first.learn(6n);
    expect((await answerFrom(second, pool)).value).toBe('revision 5');
    expect((await answerFrom(first, pool)).value).toBe('revision 6');
    expect((await answerFrom(second, pool)).value).toBe('revision 6');
  });

  test('although the store forgot what was served, or could not be told', async () => {
    const cache = new MemoryCache();
    const [replica, primary] = [new Server('replica-1', 6n), new Server('primary', 6n)];
    const first = new VersionedReads({ pool: new Pool([replica], primary), cache, clock });
    expect((await answerFrom(first, new Pool([replica], primary))).value).toBe('revision 6');
    cache.highest = 5n;
    await clock.wait(1_000);
    await answerFrom(first, new Pool([replica], primary));
    expect(cache.highest).toBe(6n);
  });

  test('when the cache is lost: the primary says what was served at most', async () => {
    const cache = new MemoryCache();
    const [behind, primary] = [new Server('replica-1', 5n), new Server('primary', 6n)];
    const pool = new Pool([behind], primary);
    cache.isDown = true;
    expect((await answerFrom(new VersionedReads({ pool, cache, clock }), pool)).value).toBe('revision 6');
    cache.isDown = false;
    expect((await answerFrom(new VersionedReads({ pool, cache, clock }), pool)).value).toBe('revision 6');
    expect(cache.highest).toBe(6n);
  });
});

test('a database that was restored from a backup is gone on with from its own version', async () => {
  const cache = new MemoryCache();
  cache.highest = 9n;
  const primary = new Server('primary', 4n);
  const pool = new Pool([new Server('replica-1', 4n)], primary);
  const reads = new VersionedReads({ pool, cache, clock });
  expect((await answerFrom(reads, pool)).value).toBe('revision 4');
  expect(cache.highest).toBe(4n);
});

describe('the cache', () => {
  test('answers a question that was asked before, without the database', async () => {
    const cache = new MemoryCache();
    const server = new Server('replica-1', 5n);
    const pool = new Pool([server], new Server('primary', 5n));
    const results: string[] = [];
    const reads = new VersionedReads({ pool, cache, clock, onLookup: (result) => results.push(result) });
    await reads.answer('bill', compute(server));
    await new Promise((resolve) => setImmediate(resolve));
    const never = async () => {
      throw new Error('computed again');
    };
    expect((await reads.answer('bill', never)).value).toBe('revision 5');
    expect(results).toEqual(['miss', 'hit']);
  });

  test('keeps nothing that was read from a server that is too far behind, and says that it was', async () => {
    const cache = new MemoryCache();
    const stale = new Server('replica-1', 5n, 'stale-replica');
    const pool = new Pool([stale], stale);
    const answer = await new VersionedReads({ pool, cache, clock }).answer('bill', compute(stale));
    expect(answer).toEqual({ value: 'revision 5', stale: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(cache.entries.size).toBe(0);
  });
});
