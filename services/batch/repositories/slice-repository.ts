import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';
import type { Deal } from '../domain/dealing.js';
import type { Phase, RunSlice, SliceTask } from '../domain/run.js';

const SLICE = 'playbill_batch.run_slice';

/** Thrown when a worker finds that its slice is no longer its own. Nothing of its transaction is kept. */
export class FencedError extends Error {
  constructor(task: Pick<SliceTask, 'runId' | 'phase' | 'slice' | 'epoch'>) {
    super(`slice ${task.slice} of ${task.phase} in run ${task.runId} is no longer held at epoch ${task.epoch}`);
  }
}

/** Adds a phase's slices, waiting, each with the weight that it had in the latest run of that day. */
export async function insertSlices(
  tx: Queryable,
  { runId, phase, slices }: { runId: string; phase: Phase; slices: readonly { slice: number; weight: number }[] },
): Promise<void> {
  if (slices.length === 0) return;
  const values = slices.map(() => "(?, ?, ?, 'waiting', ?)").join(', ');
  await tx.query(
    `INSERT IGNORE INTO ${SLICE} (run_id, phase, slice, state, weight) VALUES ${values}`,
    slices.flatMap(({ slice, weight }) => [runId, phase, slice, weight]),
  );
}

interface SliceRow {
  readonly slice: number;
  readonly state: RunSlice['state'];
  readonly epoch: number;
  readonly owner: string | null;
  readonly expired: string | number;
  readonly attempts: number;
  readonly weight: string;
  readonly error: string | null;
}

/** The slices of a phase: at most 64 rows by primary key. Leases are judged by the primary's clock. */
export async function readSlices(db: Queryable, runId: string, phase: Phase): Promise<RunSlice[]> {
  const rows: SliceRow[] = await db.query(
    `SELECT slice, state, epoch, owner, COALESCE(lease_until < UTC_TIMESTAMP(6), 1) AS expired, attempts, weight, error
     FROM ${SLICE} WHERE run_id = ? AND phase = ? ORDER BY slice`,
    [runId, phase],
  );
  return rows.map((row) => ({
    slice: Number(row.slice),
    state: row.state,
    epoch: Number(row.epoch),
    owner: row.owner,
    leaseExpired: Number(row.expired) === 1,
    attempts: Number(row.attempts),
    weight: Number(row.weight),
    error: row.error,
  }));
}

/**
 * Gives a slice to a worker by compare-and-set on its epoch, which fences off whoever held it before.
 * @returns false when somebody changed the slice meanwhile
 */
export async function assignSlice(
  db: Queryable,
  { runId, phase, deal, leaseMs }: { runId: string; phase: Phase; deal: Deal; leaseMs: number },
): Promise<boolean> {
  const result = await db.query(
    `UPDATE ${SLICE} SET state = 'running', owner = ?, epoch = epoch + 1, error = NULL,
       lease_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, started_at = COALESCE(started_at, UTC_TIMESTAMP(3))
     WHERE run_id = ? AND phase = ? AND slice = ? AND epoch = ? AND state <> 'done'`,
    [deal.worker, leaseMs * 1000, runId, phase, deal.slice, deal.epoch],
  );
  return result.affectedRows === 1;
}

/** Takes back a slice that its worker did not accept. */
export async function releaseSlice(
  db: Queryable,
  { runId, phase, slice, epoch }: { runId: string; phase: Phase; slice: number; epoch: number },
): Promise<void> {
  await db.query(
    `UPDATE ${SLICE} SET state = 'waiting', owner = NULL WHERE run_id = ? AND phase = ? AND slice = ? AND epoch = ? AND state = 'running'`,
    [runId, phase, slice, epoch],
  );
}

/**
 * Extends the leases of the tasks that a worker still works on; those that it lost are not touched. Each by a
 * statement of its own, because a task that is about to commit holds its row.
 */
export async function extendLeases(db: Queryable, tasks: readonly SliceTask[], leaseMs: number): Promise<void> {
  await Promise.all(
    tasks.map((task) =>
      db.query(
        `UPDATE ${SLICE} SET lease_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
         WHERE run_id = ? AND phase = ? AND slice = ? AND epoch = ? AND state = 'running'`,
        [leaseMs * 1000, task.runId, task.phase, task.slice, task.epoch],
      ),
    ),
  );
}

/**
 * Holds the slice for the rest of the transaction: a coordinator that wants to give it away waits for our commit.
 * @throws FencedError when it has been given away already
 */
export async function holdSlice(tx: Queryable, task: SliceTask): Promise<void> {
  const rows: { epoch: number; state: string }[] = await tx.query(
    `SELECT epoch, state FROM ${SLICE} WHERE run_id = ? AND phase = ? AND slice = ? FOR UPDATE`,
    [task.runId, task.phase, task.slice],
  );
  const held = rows[0];
  if (held === undefined || Number(held.epoch) !== task.epoch || held.state !== 'running') throw new FencedError(task);
}

/** Marks a held slice done, in the transaction that stores its result. */
export async function finishSlice(
  tx: Queryable,
  task: SliceTask,
  counts: { rowsRead: number; rowsWritten: number },
): Promise<void> {
  const result = await tx.query(
    `UPDATE ${SLICE} SET state = 'done', rows_read = ?, rows_written = ?, ended_at = UTC_TIMESTAMP(3)
     WHERE run_id = ? AND phase = ? AND slice = ? AND epoch = ? AND state = 'running'`,
    [counts.rowsRead, counts.rowsWritten, task.runId, task.phase, task.slice, task.epoch],
  );
  if (result.affectedRows !== 1) throw new FencedError(task);
}

/** Gives a slice back after an error, which counts against it unless it was the infrastructure's. */
export async function failSlice(
  db: Queryable,
  task: SliceTask,
  failure: { error: string; counts: boolean },
): Promise<void> {
  await db.query(
    `UPDATE ${SLICE} SET state = 'waiting', owner = NULL, error = ?, attempts = attempts + ?
     WHERE run_id = ? AND phase = ? AND slice = ? AND epoch = ? AND state = 'running'`,
    [failure.error.slice(0, 1000), failure.counts ? 1 : 0, task.runId, task.phase, task.slice, task.epoch],
  );
}

/** Fences off every worker of a run that is given up. */
export async function fenceSlices(tx: Queryable, runId: string): Promise<void> {
  await tx.query(
    `UPDATE ${SLICE} SET epoch = epoch + 1, state = 'waiting', owner = NULL WHERE run_id = ? AND state = 'running'`,
    [runId],
  );
}

/** Rows that each slice of the day had when it was last computed: what to expect of it now. */
export async function latestWeights(db: Queryable, day: KstDay): Promise<Map<number, number>> {
  const rows: { slice: number; weight: string }[] = await db.query(
    `SELECT s.slice, MAX(s.rows_read) AS weight FROM ${SLICE} s JOIN playbill_batch.run r ON r.run_id = s.run_id
     WHERE r.day = ? AND s.phase = 'statistics' AND s.state = 'done' GROUP BY s.slice`,
    [day],
  );
  return new Map(rows.map((row) => [Number(row.slice), Number(row.weight)]));
}

export interface SliceTotals {
  readonly phase: Phase;
  readonly owner: string | null;
  readonly state: RunSlice['state'];
  readonly failed: boolean;
  readonly partitions: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** Sums of a run's slices by phase, owner and state, for its view. At most 128 rows are read. */
export async function sliceTotals(db: Queryable, runId: string): Promise<SliceTotals[]> {
  const rows: Record<string, string | null>[] = await db.query(
    `SELECT phase, owner, state, error IS NOT NULL AS failed, COUNT(*) AS partitions, SUM(rows_read) AS rows_read,
       SUM(rows_written) AS rows_written
     FROM ${SLICE} WHERE run_id = ? GROUP BY phase, owner, state, error IS NOT NULL`,
    [runId],
  );
  return rows.map((row) => ({
    phase: row.phase as Phase,
    owner: row.owner ?? null,
    state: row.state as RunSlice['state'],
    failed: Number(row.failed) === 1,
    partitions: Number(row.partitions),
    rowsRead: Number(row.rows_read),
    rowsWritten: Number(row.rows_written),
  }));
}
