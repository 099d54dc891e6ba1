import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';

/**
 * Holds the books for the rest of the transaction: planning a settlement, adding a tariff, holding a day and bringing
 * in opening positions come one after the other. One row by primary key.
 */
export async function lockBooks(tx: Queryable): Promise<void> {
  await tx.query('SELECT id FROM playbill_batch.books WHERE id = 1 FOR UPDATE');
}

/** Records the first settled day, once. */
export async function openBooks(tx: Queryable, day: KstDay): Promise<void> {
  await tx.query('UPDATE playbill_batch.books SET opened_on = ? WHERE id = 1 AND opened_on IS NULL', [day]);
}

/**
 * The last day that is priced already: settled, partly posted, or in a settlement that runs. Null when none is. The
 * caller holds the books. Three rows by their keys.
 */
export async function lastPricedDay(tx: Queryable): Promise<KstDay | null> {
  const [row] = await tx.query(
    `SELECT MAX(day) AS day FROM (
       SELECT MAX(day) AS day FROM playbill_batch.settlement_day
       UNION ALL SELECT MAX(event_day) FROM playbill_batch.posting
       UNION ALL SELECT MAX(day) FROM playbill_batch.run
         WHERE active_day IS NOT NULL AND state = 'running' AND phase = 'settlement') d`,
  );
  return (row?.day ?? null) as KstDay | null;
}

/** A day whose settlement an operator holds. `heldAt` is UTC text as the database gives it. */
export interface DayHold {
  readonly day: KstDay;
  readonly reason: string;
  readonly heldBy: string;
  readonly heldAt: string;
}

/** The hold of the day, or undefined. One row by primary key. */
export async function findHold(db: Queryable, day: KstDay): Promise<DayHold | undefined> {
  return (await readHolds(db)).find((hold) => hold.day === day);
}

/** Every hold, by day. A handful of rows. */
export async function readHolds(db: Queryable): Promise<DayHold[]> {
  const rows: { day: string; reason: string; held_by: string; held_at: string }[] = await db.query(
    'SELECT day, reason, held_by, held_at FROM playbill_batch.day_hold ORDER BY day',
  );
  return rows.map((row) => ({
    day: row.day as KstDay,
    reason: row.reason,
    heldBy: row.held_by,
    heldAt: row.held_at,
  }));
}

export async function insertHold(tx: Queryable, hold: Omit<DayHold, 'heldAt'>): Promise<void> {
  await tx.query(
    'INSERT INTO playbill_batch.day_hold (day, reason, held_by, held_at) VALUES (?, ?, ?, UTC_TIMESTAMP(3))',
    [hold.day, hold.reason, hold.heldBy],
  );
}

export async function deleteHold(tx: Queryable, day: KstDay): Promise<void> {
  await tx.query('DELETE FROM playbill_batch.day_hold WHERE day = ?', [day]);
}
