import type { IsoWeek } from '#domain';
import { uuidv7 } from '#lib/dapr';
import type { Queryable } from '#lib/database';

const RUN = 'playbill_report.statement_run';

/** The making of a week's statements. */
export interface StatementRun {
  readonly runId: string;
  readonly week: IsoWeek;
  readonly state: 'waiting' | 'running' | 'completed';
  readonly nextSlice: number;
  readonly creators: number;
  readonly made: number;
  readonly error: string | null;
  readonly epoch: number;
}

function runOf(row: Readonly<Record<string, string>>): StatementRun {
  return {
    runId: row.run_id!,
    week: row.week as IsoWeek,
    state: row.state as StatementRun['state'],
    nextSlice: Number(row.next_slice),
    creators: Number(row.creators),
    made: Number(row.made),
    error: row.error ?? null,
    epoch: Number(row.epoch),
  };
}

/** Asks for a week's statements. @returns the run that makes them: a new one, or the one that is active */
export async function requestRun(tx: Queryable, week: IsoWeek, requestedBy: string): Promise<StatementRun> {
  await tx.query(
    `INSERT IGNORE INTO ${RUN} (run_id, week, active_week, state, requested_by, created_at)
     VALUES (?, ?, ?, 'waiting', ?, UTC_TIMESTAMP(3))`,
    [uuidv7(), week, week, requestedBy],
  );
  const [row] = await tx.query(`SELECT * FROM ${RUN} WHERE active_week = ?`, [week]);
  if (row === undefined) throw new Error(`the run of ${week} ended while it was asked for`);
  return runOf(row);
}

/** Whether a run has made the week's statements. A scan: there is a run or two a week. */
export async function wasMade(db: Queryable, week: IsoWeek): Promise<boolean> {
  const rows: unknown[] = await db.query(`SELECT 1 FROM ${RUN} WHERE week = ? AND state = 'completed' LIMIT 1`, [week]);
  return rows.length > 0;
}

export async function findRun(db: Queryable, runId: string): Promise<StatementRun | undefined> {
  const [row] = await db.query(`SELECT * FROM ${RUN} WHERE run_id = ?`, [runId]);
  return row === undefined ? undefined : runOf(row);
}

/** Takes the oldest active run that nobody works on, for the time given. */
export async function claimRun(tx: Queryable, leaseMs: number): Promise<StatementRun | undefined> {
  const [row] = await tx.query(
    `SELECT * FROM ${RUN} WHERE active_week IS NOT NULL AND (claimed_until IS NULL OR claimed_until < UTC_TIMESTAMP(6))
     ORDER BY created_at, week LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  if (row === undefined) return undefined;
  const run = runOf(row);
  await tx.query(
    `UPDATE ${RUN} SET epoch = epoch + 1, claimed_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE run_id = ?`,
    [leaseMs * 1000, run.runId],
  );
  return { ...run, epoch: run.epoch + 1 };
}

/** Leaves a run for a while, saying why. */
export async function postponeRun(
  db: Queryable,
  run: StatementRun,
  { error, delayMs }: { error: string; delayMs: number },
) {
  await db.query(
    `UPDATE ${RUN} SET error = ?, claimed_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
     WHERE run_id = ? AND epoch = ?`,
    [error.slice(0, 500), delayMs * 1000, run.runId, run.epoch],
  );
}

/**
 * Records that a slice of creators is done, in the transaction that made its statements.
 * @returns false when the run is another's by now: nothing of the transaction may be kept
 */
export async function finishSlice(
  tx: Queryable,
  run: StatementRun,
  done: { slice: number; creators: number; made: number; leaseMs: number },
): Promise<boolean> {
  const result = await tx.query(
    `UPDATE ${RUN} SET state = 'running', error = NULL, next_slice = ?, creators = creators + ?, made = made + ?,
       claimed_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
     WHERE run_id = ? AND epoch = ? AND active_week IS NOT NULL`,
    [done.slice + 1, done.creators, done.made, done.leaseMs * 1000, run.runId, run.epoch],
  );
  return result.affectedRows === 1;
}

export async function completeRun(tx: Queryable, run: StatementRun): Promise<void> {
  await tx.query(
    `UPDATE ${RUN} SET state = 'completed', active_week = NULL, claimed_until = NULL, ended_at = UTC_TIMESTAMP(3)
     WHERE run_id = ? AND epoch = ?`,
    [run.runId, run.epoch],
  );
}
