import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';
import type { OldDay } from '../domain/retention.js';
import { eventDays } from './reconciliation-books.js';

/** Days with raw events before the given one, the earliest first. One seek of the primary key a day, then by keys. */
export async function oldDays(db: Queryable, before: KstDay): Promise<OldDay[]> {
  const days = (await eventDays(db)).filter((day) => day < before);
  return Promise.all(days.map((day) => describe(db, day)));
}

async function describe(db: Queryable, day: KstDay): Promise<OldDay> {
  const [row] = await db.query(
    `SELECT (SELECT events FROM playbill_batch.statistic_day WHERE day = ?) AS events,
       EXISTS (SELECT 1 FROM playbill_batch.settlement_day WHERE day = ?) AS settled,
       EXISTS (SELECT 1 FROM playbill_watch.dirty_slice WHERE day = ?) AS dirty,
       EXISTS (SELECT 1 FROM playbill_batch.run WHERE active_day = ?) AS running`,
    [day, day, day, day],
  );
  return {
    day,
    countedEvents: row.events === null ? null : BigInt(row.events),
    isSettled: Number(row.settled) === 1,
    isDirty: Number(row.dirty) === 1,
    isRunning: Number(row.running) === 1,
  };
}

/** How many raw events the day had when they were dropped, or null when they were not. One row by primary key. */
export async function droppedEvents(db: Queryable, day: KstDay): Promise<bigint | null> {
  const [row] = await db.query('SELECT events FROM playbill_batch.dropped_day WHERE day = ?', [day]);
  return row === undefined ? null : BigInt(row.events);
}

/** Records that a day's raw events are dropped; one that was before stays as it is. */
export async function insertDroppedDay(
  tx: Queryable,
  { day, events, actor }: { day: KstDay; events: bigint; actor: string },
): Promise<void> {
  await tx.query(
    `INSERT IGNORE INTO playbill_batch.dropped_day (day, events, dropped_at, dropped_by)
     VALUES (?, ?, UTC_TIMESTAMP(3), ?)`,
    [day, events.toString(), actor],
  );
}
