import { addDays, type KstDay, kstDayOf, weekOf } from '#domain';

interface Server {
  query(sql: string, values: unknown[]): Promise<unknown>;
}

/** Makes the schedule's slots of now look acted on, so that it does not run days that a test has not made yet. */
export async function skipSchedule(db: Server): Promise<void> {
  const today = kstDayOf(Date.now());
  for (const day of [addDays(today, -1), today]) {
    await db.query('INSERT IGNORE INTO playbill_batch.tick (slot, acted_at) VALUES (?, UTC_TIMESTAMP(3))', [
      `daily:${day}`,
    ]);
  }
}

/** Makes the weeks from that day's to the one that runs look acted on, so that their statements are made by nobody else. */
export async function skipStatements(db: Server, from: KstDay): Promise<void> {
  const today = kstDayOf(Date.now());
  for (let day = from; weekOf(day) <= weekOf(today); day = addDays(day, 7)) {
    await db.query('INSERT IGNORE INTO playbill_report.tick (slot, acted_at) VALUES (?, UTC_TIMESTAMP(3))', [
      `statements:${weekOf(day)}`,
    ]);
  }
}
