import type { DataSource } from 'typeorm';
import { addDays, type KstDay } from '#domain';

const TABLE = 'playbill_watch.watch_event';
const FIRST = 'p_first';

/**
 * Makes sure that each day from `from` to `to` has its partition of watch_event. Days past the last partition are
 * split off the empty remainder; a day within the existing range already has one.
 * @param source a connection of the maintenance account
 */
export async function ensurePartitions(source: DataSource, from: KstDay, to: KstDay): Promise<void> {
  const bounds = (await readPartitions(source)).map(({ bound }) => bound);
  const covered = new Set(bounds);
  for (let day = from; day <= to; day = addDays(day, 1)) {
    const bound = addDays(day, 1);
    if (covered.has(bound)) continue;
    const next = bounds.filter((existing) => existing > bound).sort()[0];
    await splitPartition(source, { day, bound, next });
    covered.add(bound);
    bounds.push(bound);
  }
}

/**
 * Drops every partition whose days are all before `before`, the first one excepted, which is empty: it is where the
 * range begins. Safe to repeat. Raw events go, whatever they are: the caller has made sure that nobody needs them.
 * @param source a connection of the maintenance account
 */
export async function dropPartitions(source: DataSource, before: KstDay): Promise<void> {
  const old = (await readPartitions(source)).filter(({ name, bound }) => name !== FIRST && bound <= before);
  for (const { name } of old) await source.query(`ALTER TABLE ${TABLE} DROP PARTITION ${name}`);
}

/**
 * The last bound of a partition that is not after `day`: what `dropPartitions` with that day leaves begins there. A partition
 * holds more than one day where days have passed without anybody making one for each.
 * @returns undefined when every partition ends after the day
 */
export async function lastPartitionBound(source: DataSource, day: KstDay): Promise<KstDay | undefined> {
  const bounds = (await readPartitions(source)).map(({ bound }) => bound as KstDay);
  return bounds.filter((bound) => bound <= day).at(-1);
}

/** The partitions with an upper bound, in order: name, and the first day that is not in it. */
async function readPartitions(source: DataSource): Promise<{ name: string; bound: string }[]> {
  const rows: { name: string; description: string }[] = await source.query(
    `SELECT PARTITION_NAME AS name, PARTITION_DESCRIPTION AS description FROM information_schema.PARTITIONS
     WHERE TABLE_SCHEMA = 'playbill_watch' AND TABLE_NAME = 'watch_event' ORDER BY PARTITION_ORDINAL_POSITION`,
  );
  return rows
    .map(({ name, description }) => ({ name, bound: description.replaceAll("'", '') }))
    .filter(({ bound }) => bound !== 'MAXVALUE');
}

/** Splits the partition that holds `day` so that the day's rows lie in one that ends at `bound`. */
async function splitPartition(
  source: DataSource,
  { day, bound, next }: { day: KstDay; bound: KstDay; next: string | undefined },
): Promise<void> {
  const name = (end: string) => `p${end.replaceAll('-', '')}`;
  const [old, rest] =
    next === undefined
      ? ['p_rest', 'PARTITION p_rest VALUES LESS THAN (MAXVALUE)']
      : [
          name(addDays(next as KstDay, -1)),
          `PARTITION ${name(addDays(next as KstDay, -1))} VALUES LESS THAN ('${next}')`,
        ];
  await source.query(
    `ALTER TABLE ${TABLE} REORGANIZE PARTITION ${old} INTO (PARTITION ${name(day)} VALUES LESS THAN ('${bound}'), ${rest})`,
  );
}
