import type { VideoId, Viewer } from '#domain';
import { fromDatetime, type Queryable } from '#lib/database';
import type { Progress } from '../domain/decide.js';
import { viewingOf } from '../domain/watch-event.js';
import { countLiteral, instantNumeral, viewerLiteral } from './literals.js';

/** Keys of one statement: MariaDB turns longer lists into a join, which is slower. */
const KEYS_MAX = 500;
const COLUMNS = 'viewer, video_id, last_watched, last_watched_at, latest_counted_at';

interface ProgressRow {
  readonly viewer: string;
  readonly video_id: string;
  readonly last_watched: number;
  readonly last_watched_at: string;
  readonly latest_counted_at: string | null;
}

/** A viewer and a video. */
export interface Viewing {
  readonly viewer: string;
  readonly videoId: bigint;
}

/**
 * Reads progress, by viewing as it is given, and locks its rows until the transaction ends. Rows that are not there
 * cannot be locked; see insertProgress. Locked in order, so that two transactions hardly ever wait for each other.
 */
export async function lockProgress(
  tx: Queryable,
  viewings: ReadonlyMap<string, Viewing>,
): Promise<Map<string, Progress>> {
  const keys = inOrder(viewings).map(({ viewer, videoId }) => `(${viewerLiteral(viewer)},${videoId})`);
  const found = new Map<string, Progress>();
  for (let at = 0; at < keys.length; at += KEYS_MAX) {
    const list = keys.slice(at, at + KEYS_MAX);
    const rows: ProgressRow[] = await tx.query(
      `SELECT ${COLUMNS} FROM playbill_watch.viewer_progress WHERE (viewer, video_id) IN (${list.join(',')}) FOR UPDATE`,
    );
    for (const row of rows) found.set(viewingOf(row.viewer, row.video_id), progressOf(row));
  }
  return found;
}

/** In the order of the texts of their viewings: sorting texts takes a fraction of what comparing fields does. */
function inOrder<T>(viewings: ReadonlyMap<string, T>): T[] {
  return [...viewings.keys()].sort().map((viewing) => viewings.get(viewing)!);
}

function progressOf(row: ProgressRow): Progress {
  return {
    viewer: row.viewer as Viewer,
    videoId: BigInt(row.video_id) as VideoId,
    lastWatched: Number(row.last_watched),
    lastWatchedAtMs: fromDatetime(row.last_watched_at),
    latestCountedAtMs: row.latest_counted_at === null ? null : fromDatetime(row.latest_counted_at),
  };
}

/**
 * Inserts the progress of viewers who had none when it was locked.
 * @throws ER_DUP_ENTRY when another transaction has been faster: what was decided on its absence does not hold then
 */
export async function insertProgress(tx: Queryable, progress: ReadonlyMap<string, Progress>): Promise<void> {
  if (progress.size === 0) return;
  await tx.query(`INSERT INTO playbill_watch.viewer_progress (${COLUMNS}) VALUES ${rowsOf(progress)}`);
}

/** Replaces progress whose rows are locked. */
export async function replaceProgress(tx: Queryable, progress: ReadonlyMap<string, Progress>): Promise<void> {
  if (progress.size === 0) return;
  await tx.query(
    `INSERT INTO playbill_watch.viewer_progress (${COLUMNS}) VALUES ${rowsOf(progress)}
     ON DUPLICATE KEY UPDATE last_watched = VALUES(last_watched), last_watched_at = VALUES(last_watched_at),
       latest_counted_at = VALUES(latest_counted_at)`,
  );
}

function rowsOf(progress: ReadonlyMap<string, Progress>): string {
  return inOrder(progress).map(rowOf).join(',');
}

function rowOf({ viewer, videoId, lastWatched, lastWatchedAtMs, latestCountedAtMs }: Progress): string {
  const movedAt = instantNumeral(lastWatchedAtMs);
  const countedAt = latestCountedAtMs === lastWatchedAtMs ? movedAt : instantNumeral(latestCountedAtMs);
  return `(${viewerLiteral(viewer)},${videoId},${countLiteral(lastWatched)},${movedAt},${countedAt})`;
}

/** Where the viewer left off, in seconds; 0 for a first time. Reads one row by primary key. */
export async function readLastWatched(db: Queryable, { viewer, videoId }: Viewing): Promise<number> {
  const [row] = await db.query(
    'SELECT last_watched FROM playbill_watch.viewer_progress WHERE viewer = ? AND video_id = ?',
    [viewer, videoId.toString()],
  );
  return Number(row?.last_watched ?? 0);
}
