import { createPool, type Pool, type PoolConnection } from 'mysql2/promise';
import type { Endpoint } from '#lib/config';
import { type Credentials, dataSourceOptions, isTransient } from './connections.js';
import { DeadlineError, withDeadline } from './deadline.js';
import type { Queryable } from './dialect.js';
import { PrimaryPosition, queryableOf, ReplicaWatch } from './replica-watch.js';

/** Why a server was chosen for a read. */
export type ReadChoice =
  /** The replica that this process prefers. */
  | 'preferred'
  /** Another replica, because the preferred one is down or behind. */
  | 'other-replica'
  /** The primary, because no replica is up and within the lag. */
  | 'primary'
  /** A replica that is further behind than allowed, because nothing else is up; the answer has to say so. */
  | 'stale-replica';

export interface ReaderPoolOptions {
  readonly primary: Endpoint;
  readonly replicas: readonly Endpoint[];
  readonly credentials: Credentials;
  /** Connections per server. */
  readonly poolSize: number;
  /** Position, among the replicas, of the one to prefer. */
  readonly preferred: number;
  /** A replica that is further behind the primary is not read from while another server can be. */
  readonly lagMaxMs: number;
  /** How long one server may take for a read before the next one is asked. */
  readonly deadlineMs: number;
  /** Told of every read, e.g. for a metric. */
  readonly onChoice?: (server: string, choice: ReadChoice) => void;
}

/** Where an answer was read. */
export interface ReadSource {
  readonly server: string;
  readonly choice: ReadChoice;
  /** Upper bound of how far the server was behind the primary, in ms; 0 for the primary, null when not yet measured. */
  readonly lagMs: number | null;
}

/** Thrown by a read's own work: this server lacks what must be in the answer. The next server is asked. */
export class BehindError extends Error {}

/** No server could be read from. */
export class NoReaderError extends Error {}

interface Server {
  readonly name: string;
  readonly pool: Pool;
  readonly watch: ReplicaWatch | undefined;
}

const RANK: Record<ReadChoice, number> = { preferred: 0, 'other-replica': 1, primary: 2, 'stale-replica': 3 };

/**
 * Reads that go to a replica which is alive and no further behind than allowed, else to the other one, else to the
 * primary. Lag is measured, not guessed: the position of the primary's stream is sampled, and a replica is as old as
 * the latest sample that it has reached.
 */
export class ReaderPool {
  private constructor(
    private readonly options: ReaderPoolOptions,
    private readonly replicas: readonly Server[],
    private readonly primary: Server,
    private readonly position: PrimaryPosition,
  ) {}

  /** Opens the pools; nothing has to be up for it. */
  static create(options: ReaderPoolOptions): ReaderPool {
    const primaryPool = poolOf(options.primary, options);
    const position = new PrimaryPosition(primaryPool);
    const replicas = options.replicas.map((endpoint, i): Server => {
      const pool = poolOf(endpoint, options);
      return { name: `replica-${i + 1}`, pool, watch: new ReplicaWatch(pool, position) };
    });
    position.start();
    for (const { watch } of replicas) watch?.start();
    return new ReaderPool(options, replicas, { name: 'primary', pool: primaryPool, watch: undefined }, position);
  }

  /**
   * Runs `work` in one snapshot of the first server that can do it.
   * @throws what `work` throws, except what a server's death or lag explains; NoReaderError when no server is left
   */
  async read<T>(work: (db: Queryable, source: ReadSource) => Promise<T>): Promise<T> {
    let last: unknown;
    for (const { server, source } of this.#candidates()) {
      try {
        const result = await this.#readFrom(server, (db) => work(db, source));
        this.options.onChoice?.(source.server, source.choice);
        return result;
      } catch (error) {
        if (!(error instanceof BehindError) && !isServersFault(error)) throw error;
        if (!(error instanceof BehindError)) server.watch?.markDown();
        last = error;
      }
    }
    throw new NoReaderError('no database server can be read from', { cause: last });
  }

  /** As read, on the primary only. */
  readPrimary<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    return this.#readFrom(this.primary, work);
  }

  /** Upper bound of each replica's lag in ms; null while it is down or not yet measured. */
  lags(): { server: string; lagMs: number | null }[] {
    return this.replicas.map(({ name, watch }) => ({ server: name, lagMs: watch?.lagMs() ?? null }));
  }

  async close(): Promise<void> {
    await this.position.stop();
    await Promise.all(this.replicas.map(({ watch }) => watch?.stop()));
    await Promise.all([this.primary, ...this.replicas].map(({ pool }) => pool.end().catch(() => undefined)));
  }

  #candidates(): { server: Server; source: ReadSource }[] {
    const { preferred, lagMaxMs } = this.options;
    const replicas = this.replicas
      .filter(({ watch }) => watch?.isUp() === true)
      .map((server) => {
        const lagMs = server.watch?.lagMs() ?? null;
        const isPreferred = server === this.replicas[preferred % this.replicas.length];
        const choice =
          lagMs === null || lagMs > lagMaxMs ? 'stale-replica' : isPreferred ? 'preferred' : 'other-replica';
        return { server, source: { server: server.name, choice, lagMs } satisfies ReadSource };
      });
    const primary = { server: this.primary, source: { server: 'primary', choice: 'primary', lagMs: 0 } as const };
    return [...replicas, primary].sort(
      (a, b) => RANK[a.source.choice] - RANK[b.source.choice] || (a.source.lagMs ?? 1e12) - (b.source.lagMs ?? 1e12),
    );
  }

  async #readFrom<T>(server: Server, work: (db: Queryable) => Promise<T>): Promise<T> {
    const { deadlineMs } = this.options;
    let connection: PoolConnection | undefined;
    let isOver = false;
    const attempt = async () => {
      connection = await server.pool.getConnection();
      if (isOver) return connection.release() as never;
      await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
      const result = await work(queryableOf(connection));
      void giveBack(connection, deadlineMs);
      return result;
    };
    const running = attempt();
    try {
      return await withDeadline(running, deadlineMs, server.name);
    } catch (error) {
      isOver = true;
      connection?.destroy();
      running.catch(() => undefined);
      throw error;
    }
  }
}

/** Ends the snapshot, for which nobody has to wait. */
async function giveBack(connection: PoolConnection, deadlineMs: number): Promise<void> {
  try {
    await withDeadline(connection.query('COMMIT'), deadlineMs, 'commit');
    connection.release();
  } catch {
    connection.destroy();
  }
}

/** Of each pool, used for watching instead of reading. */
const WATCH_CONNECTIONS = 1;

function poolOf(endpoint: Endpoint, options: ReaderPoolOptions): Pool {
  const { host, port, username, password, timezone, charset, connectTimeout } = dataSourceOptions(endpoint, options);
  return createPool({
    host,
    port,
    user: username,
    password,
    timezone,
    charset,
    connectTimeout: Math.min(connectTimeout, options.deadlineMs),
    connectionLimit: options.poolSize + WATCH_CONNECTIONS,
    maxIdle: options.poolSize + WATCH_CONNECTIONS,
    idleTimeout: 60_000,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
}

function isServersFault(error: unknown): boolean {
  if (error instanceof DeadlineError) return true;
  const { code } = error as { code?: string };
  return isTransient(error) || code === 'ER_QUERY_INTERRUPTED' || code === 'EHOSTUNREACH';
}
