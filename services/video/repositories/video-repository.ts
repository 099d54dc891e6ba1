import { type CreatorId, parseCreatorId, parseVideoId, type VideoId } from '#domain';
import type { Queryable } from '#lib/database';
import type { Video } from '../domain/video.js';

interface VideoRow {
  readonly video_id: string;
  readonly creator_id: string;
  readonly title: string;
  readonly length_seconds: number;
}

const COLUMNS = 'video_id, creator_id, title, length_seconds';

/** @throws ER_DUP_ENTRY when there is a video with that id */
export async function insertVideo(db: Queryable, video: Video): Promise<void> {
  await db.query(`INSERT INTO playbill_video.video (${COLUMNS}, created_at) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))`, [
    String(video.videoId),
    String(video.creatorId),
    video.title,
    video.lengthSeconds,
  ]);
}

/** Videos by their ids; those that do not exist are left out. By primary key. */
export async function findVideos(db: Queryable, videoIds: readonly VideoId[]): Promise<Video[]> {
  if (videoIds.length === 0) return [];
  const rows: VideoRow[] = await db.query(
    `SELECT ${COLUMNS} FROM playbill_video.video WHERE video_id IN (${videoIds.map(() => '?').join(', ')})`,
    videoIds.map(String),
  );
  return rows.map(videoOf);
}

/** A creator's videos, the newest first, from `before` on. Reads `limit` rows by the index on creator and id. */
export async function listVideos(
  db: Queryable,
  { creatorId, before, limit }: { creatorId: CreatorId; before: VideoId | undefined; limit: number },
): Promise<Video[]> {
  const rows: VideoRow[] = await db.query(
    `SELECT ${COLUMNS} FROM playbill_video.video
     WHERE creator_id = ? ${before === undefined ? '' : 'AND video_id < ?'} ORDER BY video_id DESC LIMIT ${limit}`,
    [String(creatorId), ...(before === undefined ? [] : [String(before)])],
  );
  return rows.map(videoOf);
}

function videoOf(row: VideoRow): Video {
  return {
    videoId: parseVideoId(row.video_id),
    creatorId: parseCreatorId(row.creator_id),
    title: row.title,
    lengthSeconds: Number(row.length_seconds),
  };
}
