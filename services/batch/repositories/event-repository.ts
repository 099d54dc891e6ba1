import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';

/** What a video had on a day, over one slice's scan. Counts are exact below 2^53. */
export interface VideoSums {
  readonly videoId: string;
  readonly creatorId: string;
  readonly events: number;
  readonly views: number;
  readonly playTime: string;
  readonly adViews: string;
  readonly selfView: number;
  readonly repeat: number;
  readonly tooShort: number;
  readonly revoked: number;
}

/** The aggregates of a slice, in the order of the columns of VideoSums after the video. */
export const SUM_COLUMNS = `COUNT(*) AS events,
  COUNT(IF(reason = 0, 1, NULL)) AS views,
  SUM(IF(reason = 0, played_time, 0)) AS play_time,
  SUM(IF(reason = 0, ad_view_count, 0)) AS ad_views,
  COUNT(IF(reason = 1, 1, NULL)) AS excluded_self_view,
  COUNT(IF(reason = 2, 1, NULL)) AS excluded_repeat,
  COUNT(IF(reason = 3, 1, NULL)) AS excluded_too_short,
  COUNT(IF(reason = 4, 1, NULL)) AS excluded_revoked`;

type SumRow = Record<string, string | null>;

/**
 * Sums of one slice of a day by video. Reads the slice once, in the order of the primary key, so that the groups
 * stream without a temporary table; the owner of each video comes by primary key.
 * @throws when an event belongs to a video that nobody registered
 */
export async function sumSlice(reader: Queryable, day: KstDay, slice: number): Promise<VideoSums[]> {
  const rows: SumRow[] = await reader.query(
    `SELECT e.*, v.creator_id FROM (
       SELECT video_id, ${SUM_COLUMNS} FROM playbill_watch.watch_event WHERE day = ? AND slice = ? GROUP BY video_id
     ) e LEFT JOIN playbill_video.video v ON v.video_id = e.video_id`,
    [day, slice],
  );
  return rows.map((row) => {
    if (row.creator_id === null) throw new Error(`video ${row.video_id} has events but is not registered`);
    return toVideoSums(row);
  });
}

function toVideoSums(row: SumRow): VideoSums {
  return {
    videoId: row.video_id!,
    creatorId: row.creator_id!,
    events: Number(row.events),
    views: Number(row.views),
    playTime: row.play_time!,
    adViews: row.ad_views!,
    selfView: Number(row.excluded_self_view),
    repeat: Number(row.excluded_repeat),
    tooShort: Number(row.excluded_too_short),
    revoked: Number(row.excluded_revoked),
  };
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

/** Days up to `until` with a dirty slice, in order. */
export async function dirtyDays(db: Queryable, until: KstDay): Promise<KstDay[]> {
  const rows: { day: string }[] = await db.query(
    'SELECT DISTINCT day FROM playbill_watch.dirty_slice WHERE day <= ? ORDER BY day',
    [until],
  );
  return rows.map((row) => row.day as KstDay);
}

/**
 * Clears the marks of a day. A writer that has marked a slice but not committed holds its row, so this waits for it;
 * whoever marks later commits after us and is seen by the next run.
 */
export async function clearDirtySlices(tx: Queryable, day: KstDay): Promise<void> {
  await tx.query('DELETE FROM playbill_watch.dirty_slice WHERE day = ?', [day]);
}

export async function markDirtySlices(tx: Queryable, day: KstDay, slices: readonly number[]): Promise<void> {
  if (slices.length === 0) return;
  await tx.query(
    `INSERT IGNORE INTO playbill_watch.dirty_slice (day, slice) VALUES ${slices.map(() => '(?, ?)').join(', ')}`,
    slices.flatMap((slice) => [day, slice]),
  );
}
