import type { EventEmitter } from 'node:events';
import { format } from 'mysql2';
import { DataSource, type QueryRunner } from 'typeorm';
import type { Endpoint } from '#lib/config';
import { type Dialect, dialectOf } from './dialect.js';

/** A database account's credentials, from the secret store. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface DatabaseOptions {
  readonly primary: Endpoint;
  readonly replicas: readonly Endpoint[];
  readonly credentials: Credentials;
  /** Connections per server. */
  readonly poolSize: number;
  readonly database?: string;
}

/** One pool per server: commands go to `primary`; which replica answers a query is the caller's decision. */
export interface Database {
  readonly primary: DataSource;
  readonly replicas: readonly DataSource[];
  readonly dialect: Dialect;
  close(): Promise<void>;
}

/**
 * Settings of one pool. Instants travel as UTC text and 64-bit integers as text, so that neither the process's time
 * zone nor a double can change a value on its way.
 */
export function dataSourceOptions(endpoint: Endpoint, options: Omit<DatabaseOptions, 'primary' | 'replicas'>) {
  return {
    type: 'mysql' as const,
    host: endpoint.host,
    port: endpoint.port,
    username: options.credentials.username,
    password: options.credentials.password,
    ...(options.database === undefined ? {} : { database: options.database }),
    poolSize: options.poolSize,
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    charset: 'utf8mb4',
    connectTimeout: 5_000,
    extra: { maxIdle: options.poolSize, idleTimeout: 60_000, enableKeepAlive: true, queryFormat },
  };
}

type SqlValue = Parameters<typeof format>[1];
type Timezone = Parameters<typeof format>[3];

/** A statement without parameters is left as it is: the driver would search the texts of thousands of rows for marks. */
function queryFormat(sql: string, values: SqlValue, timezone: Timezone): string {
  return values === undefined || (Array.isArray(values) && values.length === 0)
    ? sql
    : format(sql, values, false, timezone);
}

/**
 * Opens the pools of an account. Replicas are connected lazily, so that a replica that is down does not stop a start.
 * @throws when the primary cannot be reached or refuses the account
 */
export async function connectDatabase(options: DatabaseOptions): Promise<Database> {
  const primary = await new DataSource(dataSourceOptions(options.primary, options)).initialize();
  await endWhenSilent(primary);
  const replicas = await Promise.all(
    options.replicas.map(async (endpoint) => {
      const replica = new DataSource(dataSourceOptions(endpoint, options));
      await initializeOrKeepTrying(replica);
      return replica;
    }),
  );
  const [{ version }] = await primary.query('SELECT VERSION() AS version');
  return {
    primary,
    replicas,
    dialect: dialectOf(version),
    async close() {
      await Promise.all([primary, ...replicas].map(closeDataSource));
    },
  };
}

/** Much longer than the pause between two statements of any transaction. */
const SILENT_SECONDS_MAX = 10;

/**
 * A process that hangs keeps its connections, and an open transaction its locks, for which everybody else would wait
 * for ever: has the server end connections that are silent, and roll back. The pool opens new ones.
 */
async function endWhenSilent(source: DataSource): Promise<void> {
  const statement = `SET SESSION wait_timeout = ${SILENT_SECONDS_MAX}`;
  const { pool } = source.driver as unknown as { pool: EventEmitter };
  pool.on('connection', (connection: { query(sql: string, done: () => void): void }) =>
    connection.query(statement, () => undefined),
  );
  // The one that the pool has made already.
  await source.query(statement);
}

const retryTimers = new WeakMap<DataSource, NodeJS.Timeout>();
const RECONNECT_INTERVAL_MS = 2_000;

async function initializeOrKeepTrying(source: DataSource): Promise<void> {
  try {
    await source.initialize();
  } catch {
    const timer = setTimeout(() => void initializeOrKeepTrying(source), RECONNECT_INTERVAL_MS);
    timer.unref();
    retryTimers.set(source, timer);
  }
}

async function closeDataSource(source: DataSource): Promise<void> {
  clearTimeout(retryTimers.get(source));
  if (source.isInitialized) await source.destroy();
}

/**
 * Runs `work` in one transaction on its own connection and commits it; any throw rolls back and is passed on.
 * READ COMMITTED: a statement sees what is committed when it starts, and reading locks nothing.
 */
export async function inTransaction<T>(source: DataSource, work: (tx: QueryRunner) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  try {
    await runner.startTransaction('READ COMMITTED');
    const result = await work(runner);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

/** Whether the server gave up the transaction so that trying it again is right (deadlock, lock wait, lost connection). */
export function isRetryable(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? '';
  return RETRYABLE_CODES.has(code);
}

/** Whether the server cannot be reached or the connection was lost: nothing is known of what was under way. */
export function isTransient(error: unknown): boolean {
  const { fatal, message } = error as { fatal?: boolean; message?: string };
  return isRetryable(error) || fatal === true || /connection is in closed state|Connection lost/i.test(message ?? '');
}

const RETRYABLE_CODES = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_CON_COUNT_ERROR',
]);
