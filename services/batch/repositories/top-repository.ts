import { type KstDay, type Period, type PeriodKind, periodContaining } from '#domain';
import type { Queryable } from '#lib/database';

const TOP_PERIOD = 'playbill_batch.top_period';
const STATISTIC = 'playbill_batch.daily_statistic';

export const TOP_METRICS = ['views', 'play_time'] as const;
export type TopMetric = (typeof TOP_METRICS)[number];
/** How many videos a list has. */
export const TOP_COUNT = 5;

/** A video's place in a list. `amount` is views, or seconds. */
export interface TopVideo {
  readonly videoId: bigint;
  readonly amount: bigint;
}

export type TopLists = Readonly<Record<TopMetric, readonly TopVideo[]>>;

/** Raises the number of the results' state; holds its row until the transaction ends, so that completions are serial. */
export async function raiseReadModel(tx: Queryable): Promise<void> {
  await tx.query('UPDATE playbill_batch.read_model SET version = version + 1 WHERE id = 1');
}

/** Keeps completions away until the transaction ends. */
export async function holdReadModel(tx: Queryable): Promise<void> {
  await tx.query('SELECT version FROM playbill_batch.read_model WHERE id = 1 FOR UPDATE');
}

/**
 * Tells readers that the day's statistics are new: its own Top 5 is complete, those of its week and month are wanted.
 */
export async function announceStatistics(tx: Queryable, day: KstDay): Promise<void> {
  await raiseReadModel(tx);
  for (const kind of ['weekly', 'monthly'] as const) {
    const { from, to } = periodContaining(kind, day);
    await tx.query(
      `INSERT INTO ${TOP_PERIOD} (period_kind, period_from, period_to, wanted, built, is_final) VALUES (?, ?, ?, 1, 0, 0)
       ON DUPLICATE KEY UPDATE wanted = wanted + 1`,
      [kind, from, to],
    );
  }
}

export interface WantedPeriod {
  readonly period: Period;
  readonly wanted: number;
}

/**
 * Takes a period whose lists are behind, for the time given. While a run is under way the lists wait, `patienceMs` from
 * its start at most: it would share the processors with them, and the days after it would have them built again.
 * @returns undefined when there is none to take
 */
export async function claimWantedPeriod(
  tx: Queryable,
  { claimMs, patienceMs }: { claimMs: number; patienceMs: number },
): Promise<WantedPeriod | undefined> {
  const [row]: { period_kind: PeriodKind; period_from: KstDay; period_to: KstDay; wanted: number }[] = await tx.query(
    `SELECT period_kind, period_from, period_to, wanted FROM ${TOP_PERIOD}
     WHERE built < wanted AND (claimed_until IS NULL OR claimed_until < UTC_TIMESTAMP(6)) AND NOT EXISTS (
       SELECT 1 FROM playbill_batch.run WHERE active_day IS NOT NULL AND state = 'running'
         AND started_at > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND)
     ORDER BY period_from DESC LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [patienceMs * 1000],
  );
  if (row === undefined) return undefined;
  const period: Period = { kind: row.period_kind, from: row.period_from, to: row.period_to };
  await claim(tx, period, claimMs);
  return { period, wanted: Number(row.wanted) };
}

async function claim(tx: Queryable, period: Period, claimMs: number): Promise<void> {
  await tx.query(
    `UPDATE ${TOP_PERIOD} SET claimed_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
     WHERE period_kind = ? AND period_from = ?`,
    [claimMs * 1000, period.kind, period.from],
  );
}

/** What the running day's lists reach, or null; `claimed` while somebody builds them. One row by primary key. */
export async function runningTopState(
  tx: Queryable,
  day: KstDay,
): Promise<{ asOf: string | null; ageMs: number; claimed: boolean } | undefined> {
  const [row] = await tx.query(
    `SELECT as_of, TIMESTAMPDIFF(MICROSECOND, as_of, UTC_TIMESTAMP(6)) / 1000 AS age_ms,
       COALESCE(claimed_until >= UTC_TIMESTAMP(6), 0) AS claimed
     FROM ${TOP_PERIOD} WHERE period_kind = 'daily' AND period_from = ? FOR UPDATE`,
    [day],
  );
  if (row === undefined) return undefined;
  return {
    asOf: row.as_of,
    ageMs: row.as_of === null ? Number.POSITIVE_INFINITY : Number(row.age_ms),
    claimed: Number(row.claimed) === 1,
  };
}

/** Makes the running day known, and takes it for the time given. */
export async function claimRunningTop(tx: Queryable, day: KstDay, claimMs: number): Promise<void> {
  await tx.query(
    `INSERT IGNORE INTO ${TOP_PERIOD} (period_kind, period_from, period_to, wanted, built, is_final)
     VALUES ('daily', ?, ?, 0, 0, 0)`,
    [day, day],
  );
  await claim(tx, { kind: 'daily', from: day, to: day }, claimMs);
}

/** Every completed day and when it was completed last, UTC. One row a day since the books opened. */
export async function completedDays(db: Queryable): Promise<{ day: KstDay; completedAt: string }[]> {
  const rows: { day: KstDay; completed_at: string }[] = await db.query(
    'SELECT day, completed_at FROM playbill_batch.statistic_day ORDER BY day',
  );
  return rows.map((row) => ({ day: row.day, completedAt: row.completed_at }));
}

/**
 * The first five of one slice of videos over several days, by each metric. Reads the slice's rows of those days once,
 * by primary key; a video is in one slice only, so the first five of all slices are among these.
 */
export async function topOfSlice(db: Queryable, days: readonly KstDay[], slice: number): Promise<TopLists> {
  if (days.length === 0) return { views: [], play_time: [] };
  const sums = `SELECT video_id, SUM(views) AS views, SUM(play_time) AS play_time FROM ${STATISTIC}
    WHERE day IN (${days.map(() => '?').join(', ')}) AND slice = ? GROUP BY video_id HAVING SUM(views) > 0`;
  return firstOfSums(db, sums, [...days, slice]);
}

/** The first five of one slice of the running day, straight from its events, which are read once by primary key. */
export async function runningTopOfSlice(db: Queryable, day: KstDay, slice: number): Promise<TopLists> {
  const sums = `SELECT video_id, COUNT(*) AS views, SUM(played_time) AS play_time FROM playbill_watch.watch_event
    WHERE day = ? AND slice = ? AND reason = 0 GROUP BY video_id`;
  return firstOfSums(db, sums, [day, slice]);
}

/** The first five by each metric of a statement's `video_id`, `views` and `play_time`, which is run once. */
async function firstOfSums(db: Queryable, sums: string, values: readonly unknown[]): Promise<TopLists> {
  const rows: Record<'video_id' | TopMetric | `by_${TopMetric}`, string>[] = await db.query(
    `SELECT * FROM (
       SELECT video_id, views, play_time, ROW_NUMBER() OVER (ORDER BY views DESC, video_id) AS by_views,
         ROW_NUMBER() OVER (ORDER BY play_time DESC, video_id) AS by_play_time FROM (${sums}) sums
     ) ranked WHERE by_views <= ${TOP_COUNT} OR by_play_time <= ${TOP_COUNT}`,
    [...values],
  );
  const listOf = (metric: TopMetric) =>
    rows
      .map((row) => ({ videoId: BigInt(row.video_id), amount: BigInt(row[metric]), rank: Number(row[`by_${metric}`]) }))
      .filter(({ rank }) => rank <= TOP_COUNT)
      .sort((a, b) => a.rank - b.rank)
      .map(({ videoId, amount }) => ({ videoId, amount }));
  return { views: listOf('views'), play_time: listOf('play_time') };
}

export interface BuiltTop {
  readonly period: Period;
  readonly lists: TopLists;
  /** The value of `wanted` that was built for. */
  readonly built: number;
  readonly final: boolean;
  /** UTC, as the database writes it. */
  readonly asOf: string;
}

/**
 * Replaces a period's lists. Nothing is stored when a newer build was.
 * @returns whether it was stored
 */
export async function storeTop(tx: Queryable, { period, lists, built, final, asOf }: BuiltTop): Promise<boolean> {
  const result = await tx.query(
    `UPDATE ${TOP_PERIOD} SET built = ?, is_final = ?, as_of = ?, claimed_until = NULL
     WHERE period_kind = ? AND period_from = ? AND (built < ? OR as_of IS NULL OR as_of <= ?)`,
    [built, final ? 1 : 0, asOf, period.kind, period.from, built, asOf],
  );
  if (result.affectedRows === 0) return false;
  await replaceTopVideos(tx, period, lists);
  return true;
}

async function replaceTopVideos(tx: Queryable, period: Period, lists: TopLists): Promise<void> {
  await tx.query('DELETE FROM playbill_batch.top_video WHERE period_kind = ? AND period_from = ?', [
    period.kind,
    period.from,
  ]);
  const rows = TOP_METRICS.flatMap((metric) =>
    lists[metric].map(({ videoId, amount }, i) => [period.kind, period.from, metric, i + 1, videoId, amount]),
  );
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO playbill_batch.top_video (period_kind, period_from, metric, position_number, video_id, amount)
     VALUES ${rows.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
    rows.flat(),
  );
}
