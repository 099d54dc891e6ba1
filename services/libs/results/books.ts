import type { KstDay } from '#domain';
import { fromDatetime, type Queryable } from '#lib/database';

/** Which days are complete, and since when (ms). */
export interface Books {
  /** Number of the state of batch's results; higher is newer. */
  readonly version: bigint;
  readonly statistics: ReadonlyMap<KstDay, number>;
  readonly settlement: ReadonlyMap<KstDay, number>;
  /**
   * The day from which every day is to have statistics, and to be settled: the first that was ever settled, which a late
   * event of an earlier day does not change. Until then the first with statistics, and null.
   */
  readonly statisticsFrom: KstDay | null;
  readonly settledFrom: KstDay | null;
}

/** The number of the results' state that this server has. One row. */
export async function readVersion(db: Queryable): Promise<bigint> {
  const [row] = await db.query('SELECT version FROM playbill_batch.read_model WHERE id = 1');
  return BigInt(row.version);
}

/** The first day that was ever settled, or null before there is one. One row. */
export async function readOpenedOn(db: Queryable): Promise<KstDay | null> {
  const [books] = await db.query('SELECT opened_on FROM playbill_batch.books WHERE id = 1');
  return books?.opened_on ?? null;
}

/** Those of the days that have something on their own bills: settled, and not before the books opened. */
export function settledDays({ settlement, settledFrom }: Books, days: readonly KstDay[]): KstDay[] {
  return days.filter((day) => settlement.has(day) && settledFrom !== null && day >= settledFrom);
}

/** Reads the days that are complete: two rows a day since the books opened. */
export async function readBooks(db: Queryable, version: bigint): Promise<Books> {
  const days = async (table: string) => {
    const rows: { day: KstDay; completed_at: string }[] = await db.query(
      `SELECT day, completed_at FROM playbill_batch.${table} ORDER BY day`,
    );
    return new Map(rows.map((row) => [row.day, fromDatetime(row.completed_at)]));
  };
  const [statistics, settlement] = [await days('statistic_day'), await days('settlement_day')];
  const settledFrom = await readOpenedOn(db);
  const statisticsFrom = settledFrom ?? statistics.keys().next().value ?? null;
  return { version, statistics, settlement, statisticsFrom, settledFrom };
}
