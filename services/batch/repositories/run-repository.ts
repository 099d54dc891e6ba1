import type { KstDay } from '#domain';
import { uuidv7 } from '#lib/dapr';
import type { Queryable } from '#lib/database';
import type { Job, Phase, Run } from '../domain/run.js';
import { type RunRow, toRun } from './rows.js';

const RUN = 'playbill_batch.run';

/** The run with this id, or undefined. One row by primary key. */
export async function findRun(db: Queryable, runId: string): Promise<Run | undefined> {
  const rows: RunRow[] = await db.query(`SELECT * FROM ${RUN} WHERE run_id = ?`, [runId]);
  return rows[0] && toRun(rows[0]);
}

/** As findRun, and nobody else changes it until the transaction ends. */
export async function lockRun(tx: Queryable, runId: string): Promise<Run | undefined> {
  const rows: RunRow[] = await tx.query(`SELECT * FROM ${RUN} WHERE run_id = ? FOR UPDATE`, [runId]);
  return rows[0] && toRun(rows[0]);
}

/** The run of the day that is queued, running or held. One row by a unique key. */
export async function findActiveRun(db: Queryable, day: KstDay): Promise<Run | undefined> {
  const rows: RunRow[] = await db.query(`SELECT * FROM ${RUN} WHERE active_day = ?`, [day]);
  return rows[0] && toRun(rows[0]);
}

/** Days with a run that settles and has not ended, in order. A handful of rows, by the index of active days. */
export async function activeSettlementDays(db: Queryable): Promise<KstDay[]> {
  const rows: { day: KstDay }[] = await db.query(
    `SELECT active_day AS day FROM ${RUN} WHERE active_day IS NOT NULL AND job <> 'statistics' ORDER BY active_day`,
  );
  return rows.map(({ day }) => day);
}

/**
 * The run to drive now: one that runs already, else the queued one of the earliest day. A day that would be settled
 * for the first time waits while a day before it is held. A handful of rows.
 */
export async function nextRunToDrive(db: Queryable): Promise<Run | undefined> {
  const rows: RunRow[] = await db.query(
    `SELECT r.* FROM ${RUN} r WHERE r.active_day IS NOT NULL AND (r.state = 'running' OR (r.state = 'queued' AND (
       r.job = 'statistics' OR r.day <= (SELECT MAX(day) FROM playbill_batch.settlement_day)
       OR NOT EXISTS (SELECT 1 FROM ${RUN} h WHERE h.active_day < r.day AND h.state = 'held'))))
     ORDER BY r.state = 'queued', r.active_day LIMIT 1`,
  );
  return rows[0] && toRun(rows[0]);
}

/** The latest completed run of the day that covers the job. */
export async function latestCompletedRun(db: Queryable, day: KstDay, job: Job): Promise<Run | undefined> {
  const rows: RunRow[] = await db.query(
    `SELECT * FROM ${RUN} WHERE day = ? AND state = 'completed' AND job IN (?, 'daily')
     ORDER BY run_number DESC LIMIT 1`,
    [day, job],
  );
  return rows[0] && toRun(rows[0]);
}

/** Runs from the newest on, at most `limit`, before the given run number. */
export async function listRuns(db: Queryable, limit: number, beforeNumber?: number): Promise<Run[]> {
  const rows: RunRow[] = await db.query(`SELECT * FROM ${RUN} WHERE run_number < ? ORDER BY run_number DESC LIMIT ?`, [
    beforeNumber ?? Number.MAX_SAFE_INTEGER,
    limit,
  ]);
  return rows.map(toRun);
}

/**
 * Queues a run. The unique key on active_day refuses a second one for a day.
 * @throws ER_DUP_ENTRY when the day has an active run already
 */
export async function insertRun(
  tx: Queryable,
  { job, day, requestedBy }: { job: Job; day: KstDay; requestedBy: string },
): Promise<string> {
  const runId = uuidv7();
  await tx.query(
    `INSERT INTO ${RUN} (run_id, run_number, job, day, active_day, state, requested_by, created_at)
     SELECT ?, COALESCE(MAX(run_number), 0) + 1, ?, ?, ?, 'queued', ?, UTC_TIMESTAMP(3) FROM ${RUN}`,
    [runId, job, day, day, requestedBy],
  );
  return runId;
}

/** Has a run of statistics alone settle its day as well. @returns false when it has ended meanwhile */
async function settleToo(tx: Queryable, runId: string): Promise<boolean> {
  const result = await tx.query(`UPDATE ${RUN} SET job = 'daily' WHERE run_id = ? AND active_day IS NOT NULL`, [runId]);
  return result.affectedRows === 1;
}

/** The day's run that is under way and settles it; one of statistics alone is made to. Undefined when there is none. */
export async function settlingRun(tx: Queryable, day: KstDay): Promise<Run | undefined> {
  const active = await findActiveRun(tx, day);
  const settles = active !== undefined && (active.job !== 'statistics' || (await settleToo(tx, active.runId)));
  return settles ? active : undefined;
}

/** Moves a run into a phase. */
export async function enterPhase(tx: Queryable, runId: string, phase: Phase): Promise<void> {
  await tx.query(
    `UPDATE ${RUN} SET state = 'running', phase = ?, started_at = COALESCE(started_at, UTC_TIMESTAMP(3)) WHERE run_id = ?`,
    [phase, runId],
  );
}

export async function setReadPosition(db: Queryable, runId: string, position: string): Promise<void> {
  await db.query(`UPDATE ${RUN} SET read_position = ? WHERE run_id = ?`, [position, runId]);
}

/** Fixes the day, the instant and the tariff that the run's postings carry. */
export async function setBilling(
  tx: Queryable,
  runId: string,
  { billedOn, tariffVersion }: { billedOn: KstDay; tariffVersion: number },
): Promise<void> {
  await tx.query(`UPDATE ${RUN} SET billed_on = ?, tariff_version = ?, posted_at = UTC_TIMESTAMP(3) WHERE run_id = ?`, [
    billedOn,
    tariffVersion,
    runId,
  ]);
}

/** Lays a run aside before its settlement; its day stays taken. */
export async function layAside(tx: Queryable, runId: string): Promise<void> {
  await tx.query(
    `UPDATE ${RUN} SET state = 'held', started_at = COALESCE(started_at, UTC_TIMESTAMP(3)) WHERE run_id = ?`,
    [runId],
  );
}

/** Takes the held run of the day up again, where there is one. @returns its id */
export async function takeUp(tx: Queryable, day: KstDay): Promise<string | null> {
  const run = await findActiveRun(tx, day);
  if (run?.state !== 'held') return null;
  await tx.query(`UPDATE ${RUN} SET state = 'queued' WHERE run_id = ?`, [run.runId]);
  return run.runId;
}

/** Ends a run; its day is free for the next one. */
export async function endRun(
  tx: Queryable,
  runId: string,
  outcome: { state: 'completed' } | { state: 'failed'; error: string },
): Promise<void> {
  await tx.query(
    `UPDATE ${RUN} SET state = ?, error = ?, active_day = NULL, ended_at = UTC_TIMESTAMP(3) WHERE run_id = ?`,
    [outcome.state, outcome.state === 'failed' ? outcome.error.slice(0, 1000) : null, runId],
  );
}
