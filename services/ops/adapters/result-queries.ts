import type { DataSource } from 'typeorm';
import { type KstDay, TOP_VIDEO_COUNT } from '#domain';
import type { Queryable } from '#lib/database';
import { CommandError } from '../errors.js';
import type { OperatorDatabase } from './operator-database.js';

/** One place of a Top 5. */
export interface TopPlace {
  readonly rank: number;
  readonly videoId: string;
  readonly title: string;
  readonly views: number;
  readonly playTimeSeconds: number;
}

export interface TopFive {
  readonly day: KstDay;
  /** Which server answered. */
  readonly source: string;
  readonly byViews: readonly TopPlace[];
  readonly byPlayTime: readonly TopPlace[];
}

/** A creator's money for some days. */
export interface CreatorPay {
  readonly creatorId: string;
  readonly videos: number;
  readonly views: number;
  readonly adViews: number;
  /** Won. */
  readonly amount: bigint;
}

/**
 * The Top 5 of a day, from a replica.
 * @throws CommandError NO_STATISTICS when the day was not run
 */
export async function topFiveOf(database: OperatorDatabase, day: KstDay): Promise<TopFive> {
  return onReplica(database, async (reader, source) => {
    const [done] = await reader.query('SELECT 1 FROM playbill_batch.statistic_day WHERE day = ?', [day]);
    if (done === undefined) {
      throw new CommandError('NO_STATISTICS', `${day} has no statistics yet; run it: npm run ops -- run --date ${day}`);
    }
    const byViews = await places(reader, day, 'views');
    return { day, source, byViews, byPlayTime: await places(reader, day, 'play_time') };
  });
}

/** Reads the day's statistics, one row a video, by the primary key's first column; titles of five. */
async function places(reader: Queryable, day: KstDay, metric: 'views' | 'play_time'): Promise<TopPlace[]> {
  const rows: Record<string, string>[] = await reader.query(
    `SELECT t.video_id, v.title, t.views, t.play_time FROM (
       SELECT video_id, views, play_time FROM playbill_batch.daily_statistic WHERE day = ? AND views > 0
       ORDER BY ${metric} DESC, video_id LIMIT ${TOP_VIDEO_COUNT}) t
     LEFT JOIN playbill_video.video v ON v.video_id = t.video_id ORDER BY t.${metric} DESC, t.video_id`,
    [day],
  );
  return rows.map((row, index) => ({
    rank: index + 1,
    videoId: String(row.video_id),
    title: row.title ?? '',
    views: Number(row.views),
    playTimeSeconds: Number(row.play_time),
  }));
}

/** The creators with the most money of those event days, from a replica. Reads the days' postings. */
export async function bestPaidCreators(
  database: OperatorDatabase,
  { days, count }: { readonly days: readonly KstDay[]; readonly count: number },
): Promise<CreatorPay[]> {
  return onReplica(database, async (reader) => {
    const rows: Record<string, string>[] = await reader.query(
      `SELECT creator_id, COUNT(DISTINCT video_id) AS videos,
         SUM(IF(kind = 'view', to_position - from_position, 0)) AS views,
         SUM(IF(kind = 'ad', to_position - from_position, 0)) AS ad_views, SUM(amount) AS amount
       FROM playbill_batch.posting WHERE event_day IN (${days.map(() => '?').join(', ')}) GROUP BY creator_id
       ORDER BY SUM(amount) DESC, creator_id LIMIT ?`,
      [...days, count],
    );
    return rows.map((row) => ({
      creatorId: String(row.creator_id),
      videos: Number(row.videos),
      views: Number(row.views),
      adViews: Number(row.ad_views),
      amount: BigInt(row.amount ?? 0),
    }));
  });
}

const CATCH_UP_WAIT_MS = 5_000;

/** Asks the first replica that answers and has all that is committed now; the primary when there is none. */
async function onReplica<T>(
  database: OperatorDatabase,
  work: (reader: DataSource, source: string) => Promise<T>,
): Promise<T> {
  const position = await database.dialect.currentPosition(database.primary);
  for (const { name, source } of database.replicas) {
    if (!source.isInitialized) continue;
    try {
      const isCurrent = await database.dialect.waitForPosition(source, position, CATCH_UP_WAIT_MS);
      if (isCurrent) return await work(source, name);
    } catch (error) {
      if (error instanceof CommandError) throw error;
    }
  }
  return work(database.primary, 'primary');
}
