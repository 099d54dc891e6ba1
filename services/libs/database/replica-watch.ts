import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { withDeadline } from './deadline.js';
import { type Dialect, dialectOf, type Queryable } from './dialect.js';

/** A position of the primary's stream, and when it was taken by this process's monotonic clock. */
interface Sample {
  readonly position: string;
  readonly atMs: number;
}

const SAMPLE_INTERVAL_MS = 300;
const ANSWER_DEADLINE_MS = 1_500;

/** The primary's position in its own stream, sampled again and again. */
export class PrimaryPosition {
  #sample: Sample | undefined;
  #isUp = false;
  #stopped = false;
  #loop: Promise<void> | undefined;
  #dialect: Dialect | undefined;

  constructor(private readonly pool: Pool) {}

  get sample(): Sample | undefined {
    return this.#sample;
  }

  get dialect(): Dialect | undefined {
    return this.#dialect;
  }

  /** The instant that lag is measured against: now, or the last sample when the primary is gone and nothing changes. */
  referenceMs(): number {
    return this.#isUp ? performance.now() : (this.#sample?.atMs ?? performance.now());
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await withDeadline(this.#take(), ANSWER_DEADLINE_MS, 'primary');
        this.#isUp = true;
      } catch {
        this.#isUp = false;
      }
      await pause(SAMPLE_INTERVAL_MS, undefined, { ref: false });
    }
  }

  async #take(): Promise<void> {
    const atMs = performance.now();
    const db = queryableOf(this.pool);
    this.#dialect ??= dialectOf(String((await db.query('SELECT VERSION() AS version'))[0].version));
    this.#sample = { position: await this.#dialect.currentPosition(db), atMs };
  }
}

const LOOK_INTERVAL_MS = 200;
/** How long one wait for a position lasts before the replica is asked for a sign of life again. */
const WAIT_MS = 500;

/**
 * Watches one replica: whether it answers, and the latest sample of the primary's position that it has reached. It
 * waits for one sample at a time on a connection of its own, so a replica that is always a little behind is measured
 * as truly as one that stands still.
 */
export class ReplicaWatch {
  #isUp = true;
  /** When the latest sample that it has reached was taken. */
  #reachedMs: number | undefined;
  #target: Sample | undefined;
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly primary: PrimaryPosition,
  ) {}

  isUp(): boolean {
    return this.#isUp;
  }

  /** A read found it dead: it is not chosen until it gives a sign of life. */
  markDown(): void {
    this.#isUp = false;
  }

  /** Upper bound of its lag in ms; null before the first measure. */
  lagMs(): number | null {
    return this.#reachedMs === undefined ? null : Math.max(0, this.primary.referenceMs() - this.#reachedMs);
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    let connection: PoolConnection | undefined;
    while (!this.#stopped) {
      try {
        connection ??= await this.#connect();
        await withDeadline(this.#look(connection), ANSWER_DEADLINE_MS, 'replica');
        this.#isUp = true;
      } catch {
        this.#isUp = false;
        connection?.destroy();
        connection = undefined;
      }
      await pause(LOOK_INTERVAL_MS, undefined, { ref: false });
    }
    connection?.destroy();
  }

  async #connect(): Promise<PoolConnection> {
    const connecting = this.pool.getConnection();
    return withDeadline(connecting, ANSWER_DEADLINE_MS, 'replica').catch((error: unknown) => {
      void connecting.then((late) => late.destroy()).catch(() => undefined);
      throw error;
    });
  }

  async #look(connection: PoolConnection): Promise<void> {
    const db = queryableOf(connection);
    const { dialect } = this.primary;
    this.#target ??= this.primary.sample;
    if (this.#target === undefined || dialect === undefined) {
      await db.query('SELECT 1');
      return;
    }
    if (!(await dialect.waitForPosition(db, this.#target.position, WAIT_MS))) return;
    this.#reachedMs = this.#target.atMs;
    this.#target = undefined;
  }
}

/** A pool or connection of the driver as the rest of the code knows one. */
export function queryableOf(client: Pick<Pool | PoolConnection, 'query'>): Queryable {
  return { query: async (sql, parameters) => (await client.query(sql, parameters))[0] };
}
