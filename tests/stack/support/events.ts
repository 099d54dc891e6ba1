import type { Connection } from 'mysql2/promise';
import { kstDayOf } from '#domain';

/** A watch event as the watch-history service stores it. */
export interface StoredEvent {
  readonly eventId: string;
  readonly videoId: number;
  readonly viewer: string;
  readonly watchedAtMs: number;
  readonly playedSeconds: number;
  readonly adViews: number;
  readonly reason: number;
  /** An event of an earlier day than this marks its slice. */
  readonly today: string;
}

/** Stores an event, with the mark of its slice when its day is over, in one transaction. */
export async function insertEvent(db: Connection, event: StoredEvent): Promise<void> {
  const day = kstDayOf(event.watchedAtMs);
  const slice = event.videoId % 64;
  const watchedAt = new Date(event.watchedAtMs).toISOString().replace('T', ' ').replace('Z', '');
  await db.beginTransaction();
  await db.query(
    `INSERT INTO playbill_watch.watch_event (day, slice, video_id, event_id, viewer, watched_at, played_time,
       last_watched, ad_view_count, reason) VALUES (?, ?, ?, UNHEX(?), ?, ?, ?, ?, ?, ?)`,
    [
      day,
      slice,
      event.videoId,
      event.eventId.replaceAll('-', ''),
      event.viewer,
      watchedAt,
      event.playedSeconds,
      event.playedSeconds,
      event.adViews,
      event.reason,
    ],
  );
  if (day < event.today) {
    await db.query('INSERT IGNORE INTO playbill_watch.dirty_slice (day, slice) VALUES (?, ?)', [day, slice]);
  }
  await db.commit();
}

export async function insertVideo(
  db: Connection,
  { videoId, creatorId, lengthSeconds }: { videoId: number; creatorId: number | bigint; lengthSeconds: number },
): Promise<void> {
  await db.query("INSERT INTO playbill_video.video VALUES (?, ?, CONCAT('video ', ?), ?, '2020-01-01')", [
    videoId,
    creatorId,
    videoId,
    lengthSeconds,
  ]);
}

/** Makes counted events revoked and marks their slices, in one transaction. @returns how many there were */
export async function revokeById(db: Connection, eventIds: readonly string[]): Promise<number> {
  const ids = eventIds.map((id) => `x'${id.replaceAll('-', '')}'`).join(', ');
  await db.beginTransaction();
  await db.query(
    `INSERT IGNORE INTO playbill_watch.dirty_slice
     SELECT DISTINCT day, slice FROM playbill_watch.watch_event WHERE event_id IN (${ids}) AND reason = 0`,
  );
  const [result] = await db.query(
    `UPDATE playbill_watch.watch_event SET reason = 4 WHERE event_id IN (${ids}) AND reason = 0`,
  );
  await db.commit();
  return (result as { affectedRows: number }).affectedRows;
}
