import type { DataSource } from 'typeorm';
import { type KstDay, SLICE_COUNT } from '#domain';
import type { Queryable } from '#lib/database';

/**
 * The sums of one slice of a day. They stay one text from the replica to the primary: taking 100,000 rows apart in
 * between cost a fifth of the whole run.
 */
export interface SliceSums {
  /** One row a video as an INSERT takes it, its values in the order of STATISTIC_COLUMNS. */
  readonly rows: string;
  readonly videos: number;
  readonly events: number;
  /** Events, among those, with a reason that no column counts. */
  readonly unexplained: number;
  /** A video that has events but is not registered, or null. */
  readonly unregistered: string | null;
}

/** The sums that a video's statistics of a day consist of. */
export const SUM_COLUMNS = [
  'views',
  'play_time',
  'ad_views',
  'excluded_self_view',
  'excluded_repeat',
  'excluded_too_short',
  'excluded_revoked',
] as const;

const VIDEO_COLUMNS = ['video_id', 'creator_slice', 'creator_id', ...SUM_COLUMNS] as const;

/** Columns of the rows of SliceSums; `creator_slice` = creator_id mod 64. */
export const STATISTIC_COLUMNS = ['day', 'slice', ...VIDEO_COLUMNS] as const;

/** The aggregates of a video's events. */
export const VIDEO_SUMS = `COUNT(*) AS events,
  COUNT(IF(reason = 0, 1, NULL)) AS views,
  SUM(IF(reason = 0, played_time, 0)) AS play_time,
  SUM(IF(reason = 0, ad_view_count, 0)) AS ad_views,
  COUNT(IF(reason = 1, 1, NULL)) AS excluded_self_view,
  COUNT(IF(reason = 2, 1, NULL)) AS excluded_repeat,
  COUNT(IF(reason = 3, 1, NULL)) AS excluded_too_short,
  COUNT(IF(reason = 4, 1, NULL)) AS excluded_revoked`;

const ROWS_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Sums of one slice of a day by video. Reads the slice once, in the order of the primary key, so that the groups
 * stream without a temporary table; the owner of each video comes by primary key.
 */
export async function sumSlice(reader: DataSource, day: KstDay, slice: number): Promise<SliceSums> {
  const runner = reader.createQueryRunner('master');
  try {
    await runner.query(`SET SESSION group_concat_max_len = ${ROWS_BYTES_MAX}`);
    const [row] = await runner.query(
      `SELECT GROUP_CONCAT(?, CONCAT_WS(',', ${VIDEO_COLUMNS.join(', ')}), ')') AS video_rows,
         COUNT(*) AS videos, COALESCE(SUM(events), 0) AS events,
         COALESCE(SUM(events - views - excluded_self_view - excluded_repeat - excluded_too_short - excluded_revoked), 0)
           AS unexplained,
         MIN(IF(creator_id IS NULL, video_id, NULL)) AS unregistered
       FROM (
         SELECT e.*, v.creator_id, v.creator_id % 64 AS creator_slice FROM (
           SELECT video_id, ${VIDEO_SUMS} FROM playbill_watch.watch_event WHERE day = ? AND slice = ? GROUP BY video_id
         ) e LEFT JOIN playbill_video.video v ON v.video_id = e.video_id
       ) s`,
      [`('${day}',${slice},`, day, slice],
    );
    return {
      rows: row.video_rows ?? '',
      videos: Number(row.videos),
      events: Number(row.events),
      unexplained: Number(row.unexplained),
      unregistered: row.unregistered,
    };
  } finally {
    await runner.release();
  }
}

/** The earliest day with an event, or null. Reads the first row of the primary key. */
export async function earliestEventDay(db: Queryable): Promise<KstDay | null> {
  const rows: { day: string | null }[] = await db.query('SELECT MIN(day) AS day FROM playbill_watch.watch_event');
  return (rows[0]?.day ?? null) as KstDay | null;
}

/** Slices of the day whose events changed since a run last covered them. At most 64 rows by primary key. */
export async function dirtySlices(db: Queryable, day: KstDay): Promise<number[]> {
  const rows: { slice: number }[] = await db.query(
    'SELECT slice FROM playbill_watch.dirty_slice WHERE day = ? ORDER BY slice',
    [day],
  );
  return rows.map((row) => Number(row.slice));
}

/** How many slices of days have events that no run has covered yet. A few rows. */
export async function countDirtySlices(db: Queryable): Promise<number> {
  const [row] = await db.query('SELECT COUNT(*) AS slices FROM playbill_watch.dirty_slice');
  return Number(row.slices);
}

/** Days up to `until` with a dirty slice, in order. */
export async function dirtyDays(db: Queryable, until: KstDay): Promise<KstDay[]> {
  const rows: { day: string }[] = await db.query(
    'SELECT DISTINCT day FROM playbill_watch.dirty_slice WHERE day <= ? ORDER BY day',
    [until],
  );
  return rows.map((row) => row.day as KstDay);
}

/**
 * Clears these marks of a day, and no other: one that is made meanwhile is of an event that nobody has planned for. A
 * writer that has marked a slice but not committed holds its row, so this waits for it; whoever marks later commits
 * after us and is seen by the next run.
 */
export async function clearDirtySlices(tx: Queryable, day: KstDay, slices: readonly number[]): Promise<void> {
  if (slices.length === 0) return;
  await tx.query(`DELETE FROM playbill_watch.dirty_slice WHERE day = ? AND slice IN (${slices.join(', ')})`, [day]);
}

/** Slices of the day that have any event: one seek each along the primary key, by subqueries that cannot be joined. */
export async function slicesWithEvents(db: Queryable, day: KstDay): Promise<number[]> {
  const slices = Array.from({ length: SLICE_COUNT }, (_, slice) => slice);
  const seeks = slices.map(
    (slice) => `(SELECT 1 FROM playbill_watch.watch_event WHERE day = ? AND slice = ${slice} LIMIT 1) AS s${slice}`,
  );
  const [row]: Record<string, unknown>[] = await db.query(
    `SELECT ${seeks.join(', ')}`,
    slices.map(() => day),
  );
  return slices.filter((slice) => row![`s${slice}`] !== null);
}

export async function markDirtySlices(tx: Queryable, day: KstDay, slices: readonly number[]): Promise<void> {
  if (slices.length === 0) return;
  await tx.query(
    `INSERT IGNORE INTO playbill_watch.dirty_slice (day, slice) VALUES ${slices.map(() => '(?, ?)').join(', ')}`,
    slices.flatMap((slice) => [day, slice]),
  );
}
