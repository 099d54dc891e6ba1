import type { DataSource } from 'typeorm';
import { datetimeToInstant, type Queryable } from '#lib/database';
import type { OperatorDatabase } from './operator-database.js';

export interface RunStatus {
  readonly runId: string;
  readonly day: string;
  readonly job: string;
  readonly state: string;
  readonly phase: string | null;
  readonly slices: { readonly total: number; readonly done: number; readonly running: number };
  readonly rowsRead: number;
  readonly postings: number;
  readonly createdAt: string;
  readonly error: string | null;
}

export interface WorkerStatus {
  readonly name: string;
  readonly alive: boolean;
  /** Since its last sign of life. */
  readonly silentSeconds: number;
}

export interface ReplicaStatus {
  readonly name: string;
  readonly reachable: boolean;
  /** Behind the primary; null when replication does not run or the server does not say. */
  readonly lagSeconds: number | null;
  readonly error: string | null;
}

export interface DirtyDay {
  readonly day: string;
  readonly slices: number;
}

export interface Status {
  readonly lastSettledDay: string | null;
  readonly lastStatisticsDay: string | null;
  readonly runs: readonly RunStatus[];
  readonly workers: readonly WorkerStatus[];
  readonly dirty: readonly DirtyDay[];
  readonly replicas: readonly ReplicaStatus[];
}

const RUNS_MAX = 10;
/** Workers give a sign of life every second. */
const ALIVE_WITHIN_SECONDS = 6;

/** The state of the work, from the primary, and of its replicas, from each. */
export async function readStatus(database: OperatorDatabase): Promise<Status> {
  const { primary } = database;
  const [days] = await primary.query(
    `SELECT (SELECT MAX(day) FROM playbill_batch.settlement_day) AS settled,
       (SELECT MAX(day) FROM playbill_batch.statistic_day) AS counted`,
  );
  return {
    lastSettledDay: days.settled,
    lastStatisticsDay: days.counted,
    runs: await latestRuns(primary),
    workers: await workers(primary),
    dirty: await dirtyDays(primary),
    replicas: await Promise.all(database.replicas.map(({ name, source }) => replicaStatus(name, source))),
  };
}

/** Ten runs by `by_number`, and their slices by the primary key. */
async function latestRuns(db: Queryable): Promise<RunStatus[]> {
  const rows: Record<string, string | null>[] = await db.query(
    `SELECT r.run_id, r.day, r.job, r.state, r.phase, r.created_at, r.error, COUNT(s.slice) AS total,
       COALESCE(SUM(s.state = 'done'), 0) AS done, COALESCE(SUM(s.state = 'running'), 0) AS running,
       COALESCE(SUM(IF(s.phase = 'statistics', s.rows_read, 0)), 0) AS rows_read,
       COALESCE(SUM(IF(s.phase = 'settlement', s.rows_written, 0)), 0) AS postings
     FROM (SELECT * FROM playbill_batch.run ORDER BY run_number DESC LIMIT ${RUNS_MAX}) r
     LEFT JOIN playbill_batch.run_slice s ON s.run_id = r.run_id GROUP BY r.run_number ORDER BY r.run_number DESC`,
  );
  return rows.map((row) => ({
    runId: row.run_id!,
    day: row.day!,
    job: row.job!,
    state: row.state!,
    phase: row.phase ?? null,
    slices: { total: Number(row.total), done: Number(row.done), running: Number(row.running) },
    rowsRead: Number(row.rows_read),
    postings: Number(row.postings),
    createdAt: datetimeToInstant(row.created_at!),
    error: row.error ?? null,
  }));
}

async function workers(db: Queryable): Promise<WorkerStatus[]> {
  const rows: { name: string; silent: string }[] = await db.query(
    `SELECT name, TIMESTAMPDIFF(MICROSECOND, heartbeat_at, UTC_TIMESTAMP(6)) / 1000000 AS silent
     FROM playbill_batch.worker ORDER BY name`,
  );
  return rows.map(({ name, silent }) => {
    const silentSeconds = Math.max(0, Number(silent));
    return { name, alive: silentSeconds <= ALIVE_WITHIN_SECONDS, silentSeconds };
  });
}

/** At most 64 rows a day that waits. */
async function dirtyDays(db: Queryable): Promise<DirtyDay[]> {
  const rows: { day: string; slices: string }[] = await db.query(
    'SELECT day, COUNT(*) AS slices FROM playbill_watch.dirty_slice GROUP BY day ORDER BY day',
  );
  return rows.map(({ day, slices }) => ({ day, slices: Number(slices) }));
}

async function replicaStatus(name: string, source: DataSource): Promise<ReplicaStatus> {
  if (!source.isInitialized) return { name, reachable: false, lagSeconds: null, error: 'cannot be reached' };
  try {
    const [row] = await source.query('SHOW REPLICA STATUS');
    if (row === undefined) return { name, reachable: true, lagSeconds: null, error: 'is not a replica' };
    // MariaDB's name, MySQL's name.
    const lag = row.Seconds_Behind_Master ?? row.Seconds_Behind_Source ?? null;
    const error = [row.Last_IO_Error, row.Last_SQL_Error].find((text) => typeof text === 'string' && text !== '');
    return { name, reachable: true, lagSeconds: lag === null ? null : Number(lag), error: error ?? null };
  } catch (error) {
    return { name, reachable: false, lagSeconds: null, error: (error as Error).message };
  }
}
