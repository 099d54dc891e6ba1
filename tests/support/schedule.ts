import { addDays, kstDayOf } from '#domain';

/** Makes the schedule's slots of now look acted on, so that it does not run days that a test has not made yet. */
export async function skipSchedule(db: { query(sql: string, values: unknown[]): Promise<unknown> }): Promise<void> {
  const today = kstDayOf(Date.now());
  for (const day of [addDays(today, -1), today]) {
    await db.query('INSERT IGNORE INTO playbill_batch.tick (slot, acted_at) VALUES (?, UTC_TIMESTAMP(3))', [
      `daily:${day}`,
    ]);
  }
}
