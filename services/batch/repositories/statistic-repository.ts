import type { KstDay } from '#domain';
import { insertRows, type Queryable } from '#lib/database';
import { type SliceSums, STATISTIC_COLUMNS } from './event-repository.js';

const STATISTIC = 'playbill_batch.daily_statistic';

/** Replaces the statistics of one slice of a day: whatever was there is gone, whatever is given is there. */
export async function replaceStatistics(
  tx: Queryable,
  { day, slice, sums }: { day: KstDay; slice: number; sums: SliceSums },
): Promise<void> {
  await tx.query(`DELETE FROM ${STATISTIC} WHERE day = ? AND slice = ?`, [day, slice]);
  if (sums.videos === 0) return;
  const insert = { table: STATISTIC, columns: STATISTIC_COLUMNS };
  await insertRows(tx, insert, { rows: sums.rows, rowCount: sums.videos });
}

/** Events (counted and excluded) in the stored statistics of a day, by slice. Reads the day's rows once. */
export async function eventsBySlice(db: Queryable, day: KstDay): Promise<Map<number, number>> {
  const rows: { slice: number; events: string }[] = await db.query(
    `SELECT slice, SUM(views + excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked) AS events
     FROM ${STATISTIC} WHERE day = ? GROUP BY slice`,
    [day],
  );
  return new Map(rows.map((row) => [Number(row.slice), Number(row.events)]));
}

/** What a run's slices of the phase say they have read, by slice. */
export async function rowsReadBySlice(db: Queryable, runId: string): Promise<Map<number, number>> {
  const rows: { slice: number; rows_read: string }[] = await db.query(
    `SELECT slice, rows_read FROM playbill_batch.run_slice WHERE run_id = ? AND phase = 'statistics'`,
    [runId],
  );
  return new Map(rows.map((row) => [Number(row.slice), Number(row.rows_read)]));
}

/** Rewrites the day's Top 5 by views and by play time; ties go to the smaller video id. Two scans of the day's rows. */
export async function replaceDailyTop(tx: Queryable, day: KstDay): Promise<void> {
  await tx.query("DELETE FROM playbill_batch.top_video WHERE period_kind = 'daily' AND period_from = ?", [day]);
  for (const metric of ['views', 'play_time'] as const) {
    const rows: { video_id: string; amount: string }[] = await tx.query(
      `SELECT video_id, ${metric} AS amount FROM ${STATISTIC} WHERE day = ? AND views > 0
       ORDER BY ${metric} DESC, video_id LIMIT 5`,
      [day],
    );
    if (rows.length === 0) continue;
    await tx.query(
      `INSERT INTO playbill_batch.top_video (period_kind, period_from, metric, position_number, video_id, amount)
       VALUES ${rows.map(() => "('daily', ?, ?, ?, ?, ?)").join(', ')}`,
      rows.flatMap((row, i) => [day, metric, i + 1, row.video_id, row.amount]),
    );
  }
}

/** Records that the day's statistics are complete. @returns the day's new revision, from 1 */
export async function completeStatisticDay(
  tx: Queryable,
  { day, runId, events }: { day: KstDay; runId: string; events: number },
): Promise<number> {
  await tx.query(
    `INSERT INTO playbill_batch.statistic_day (day, revision, run_id, events, completed_at)
     VALUES (?, 1, ?, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE revision = revision + 1, run_id = VALUES(run_id), events = VALUES(events),
       completed_at = VALUES(completed_at)`,
    [day, runId, events],
  );
  const [row] = await tx.query('SELECT revision FROM playbill_batch.statistic_day WHERE day = ?', [day]);
  return Number(row.revision);
}

/** Whether the day's statistics were ever completed. */
export async function hasStatistics(db: Queryable, day: KstDay): Promise<boolean> {
  const rows: unknown[] = await db.query('SELECT 1 FROM playbill_batch.statistic_day WHERE day = ?', [day]);
  return rows.length > 0;
}
