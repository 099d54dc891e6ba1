import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';

/** Days to run again, each once. */
export async function insertReruns(db: Queryable, days: readonly KstDay[], requestedBy: string): Promise<void> {
  if (days.length === 0) return;
  await db.query(
    `INSERT IGNORE INTO playbill_batch.rerun_request (day, requested_by, requested_at)
     VALUES ${days.map(() => '(?, ?, UTC_TIMESTAMP(3))').join(', ')}`,
    days.flatMap((day) => [day, requestedBy]),
  );
}

/** By day; a handful of rows. */
export async function readReruns(db: Queryable): Promise<{ day: KstDay; requestedBy: string }[]> {
  const rows: { day: string; requested_by: string }[] = await db.query(
    'SELECT day, requested_by FROM playbill_batch.rerun_request ORDER BY day',
  );
  return rows.map((row) => ({ day: row.day as KstDay, requestedBy: row.requested_by }));
}

export async function deleteRerun(tx: Queryable, day: KstDay): Promise<void> {
  await tx.query('DELETE FROM playbill_batch.rerun_request WHERE day = ?', [day]);
}
