import type { Period } from '#domain';
import { fromDatetime, type Queryable } from '#lib/database';

/** A video's place in a period's list. `amount` is views, or seconds of play time. */
export interface RankedVideo {
  readonly rank: number;
  readonly videoId: bigint;
  readonly title: string;
  readonly amount: bigint;
}

export interface TopLists {
  readonly byViews: readonly RankedVideo[];
  readonly byPlayTime: readonly RankedVideo[];
}

/** What a period's stored lists cover. */
export interface TopState {
  readonly final: boolean;
  readonly asOfMs: number;
}

/** What the lists of a week, a month or a running day cover; undefined while there are none. One row by primary key. */
export async function readTopState(db: Queryable, period: Period): Promise<TopState | undefined> {
  const [row] = await db.query(
    'SELECT is_final, as_of FROM playbill_batch.top_period WHERE period_kind = ? AND period_from = ?',
    [period.kind, period.from],
  );
  if (row === undefined || row.as_of === null) return undefined;
  return { final: Number(row.is_final) === 1, asOfMs: fromDatetime(row.as_of) };
}

/** The stored lists of a period: at most ten rows by primary key, each with its title by primary key. */
export async function readTop(db: Queryable, period: Period): Promise<TopLists> {
  const rows: { metric: string; position_number: number; video_id: string; amount: string; title: string | null }[] =
    await db.query(
      `SELECT t.metric, t.position_number, t.video_id, t.amount, v.title
       FROM playbill_batch.top_video t LEFT JOIN playbill_video.video v ON v.video_id = t.video_id
       WHERE t.period_kind = ? AND t.period_from = ? ORDER BY t.metric, t.position_number`,
      [period.kind, period.from],
    );
  const listOf = (metric: string): RankedVideo[] =>
    rows
      .filter((row) => row.metric === metric)
      .map((row) => ({
        rank: Number(row.position_number),
        videoId: BigInt(row.video_id),
        title: row.title ?? '',
        amount: BigInt(row.amount),
      }));
  return { byViews: listOf('views'), byPlayTime: listOf('play_time') };
}
