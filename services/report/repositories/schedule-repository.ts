import type { IsoWeek } from '#domain';
import type { Queryable } from '#lib/database';

const slotOf = (week: IsoWeek) => `statements:${week}`;

/** Those of the weeks that the schedule has not acted on, in the order given. By primary key, a row a week. */
export async function openSlots(db: Queryable, weeks: readonly IsoWeek[]): Promise<IsoWeek[]> {
  if (weeks.length === 0) return [];
  const rows: { slot: string }[] = await db.query(
    `SELECT slot FROM playbill_report.tick WHERE slot IN (${weeks.map(() => '?').join(', ')})`,
    weeks.map(slotOf),
  );
  const acted = new Set(rows.map((row) => row.slot));
  return weeks.filter((week) => !acted.has(slotOf(week)));
}

/** Records that the schedule acts on a week. @returns false when it has before */
export async function claimSlot(tx: Queryable, week: IsoWeek): Promise<boolean> {
  const result = await tx.query(
    'INSERT IGNORE INTO playbill_report.tick (slot, acted_at) VALUES (?, UTC_TIMESTAMP(3))',
    [slotOf(week)],
  );
  return result.affectedRows === 1;
}
