import { type BillLine, type ExcludedTotals, type KstDay, sliceOf } from '#domain';
import type { Queryable } from '#lib/database';

/** Which days a bill is of. */
export interface BillDays {
  /** Settled days of the period: their first postings are billed. */
  readonly settled: readonly KstDay[];
  /** All days of the period: adjustments billed on them are. */
  readonly billed: readonly KstDay[];
  /** Days of the period with complete statistics: their excluded events are counted. */
  readonly counted: readonly KstDay[];
}

/** The lines of one creator, by video id. Three range reads a day along the creator's part of each table. */
export async function readBillLines(db: Queryable, creatorId: bigint, days: BillDays): Promise<BillLine[]> {
  const of = { creatorSlice: sliceOf(creatorId), creatorId };
  return (await readLines(db, of, days)).get(creatorId) ?? [];
}

/** The lines of every creator of a slice who has any, by creator. */
export function readSliceBillLines(
  db: Queryable,
  creatorSlice: number,
  days: BillDays,
): Promise<Map<bigint, BillLine[]>> {
  return readLines(db, { creatorSlice }, days);
}

interface Of {
  readonly creatorSlice: number;
  readonly creatorId?: bigint;
}

type Row = Readonly<Record<string, string>>;

type Draft = { -readonly [Key in keyof BillLine]: BillLine[Key] };

async function readLines(db: Queryable, of: Of, days: BillDays): Promise<Map<bigint, BillLine[]>> {
  const creators = new Map<bigint, Map<bigint, Draft>>();
  for (const row of await firstPostings(db, of, days.settled)) {
    const line = lineOf(creators, row);
    line.views = BigInt(row.views!);
    line.adViews = BigInt(row.ad_views!);
    line.videoProfit = BigInt(row.video_profit!);
    line.adProfit = BigInt(row.ad_profit!);
  }
  for (const row of await adjustments(db, of, days.billed)) {
    lineOf(creators, row).adjustments = BigInt(row.amount!);
  }
  for (const row of await excluded(db, of, days.counted)) lineOf(creators, row).excluded = excludedOf(row);
  return new Map([...creators].map(([creatorId, lines]) => [creatorId, [...lines.values()].sort(byVideo)]));
}

function byVideo(a: BillLine, b: BillLine): number {
  return a.videoId < b.videoId ? -1 : a.videoId > b.videoId ? 1 : 0;
}

function lineOf(creators: Map<bigint, Map<bigint, Draft>>, row: Row): Draft {
  const [creatorId, videoId] = [BigInt(row.creator_id!), BigInt(row.video_id!)];
  const lines = creators.get(creatorId) ?? new Map<bigint, Draft>();
  creators.set(creatorId, lines);
  const line = lines.get(videoId) ?? {
    videoId,
    views: 0n,
    adViews: 0n,
    excluded: {},
    videoProfit: 0n,
    adProfit: 0n,
    adjustments: 0n,
  };
  lines.set(videoId, line);
  return line;
}

/** Postings billed on their event day, by primary key (event_day, creator_slice, creator_id). */
async function firstPostings(db: Queryable, of: Of, days: readonly KstDay[]): Promise<Row[]> {
  if (days.length === 0) return [];
  return db.query(
    `SELECT creator_id, video_id,
       SUM(IF(kind = 'view', to_position - from_position, 0)) AS views,
       SUM(IF(kind = 'ad', to_position - from_position, 0)) AS ad_views,
       SUM(IF(kind = 'view', amount, 0)) AS video_profit, SUM(IF(kind = 'ad', amount, 0)) AS ad_profit
     FROM playbill_batch.posting
     WHERE event_day IN (${marks(days)}) AND ${condition(of)} AND billed_on = event_day
     GROUP BY creator_id, video_id`,
    [...days, ...parameters(of)],
  );
}

/** Adjustments by primary key (billed_on, creator_slice, creator_id), each with its posting by primary key. */
async function adjustments(db: Queryable, of: Of, days: readonly KstDay[]): Promise<Row[]> {
  return db.query(
    `SELECT a.creator_id, a.video_id, SUM(p.amount) AS amount
     FROM playbill_batch.adjustment a JOIN playbill_batch.posting p
       ON p.event_day = a.event_day AND p.creator_slice = a.creator_slice AND p.creator_id = a.creator_id
         AND p.video_id = a.video_id AND p.kind = a.kind AND p.seq = a.seq
     WHERE a.billed_on IN (${marks(days)}) AND ${condition(of, 'a.')}
     GROUP BY a.creator_id, a.video_id`,
    [...days, ...parameters(of)],
  );
}

/** Excluded events, by the index by_creator (day, creator_slice, creator_id). */
async function excluded(db: Queryable, of: Of, days: readonly KstDay[]): Promise<Row[]> {
  if (days.length === 0) return [];
  return db.query(
    `SELECT creator_id, video_id, SUM(excluded_self_view) AS SELF_VIEW, SUM(excluded_repeat) AS \`REPEAT\`,
       SUM(excluded_too_short) AS TOO_SHORT, SUM(excluded_revoked) AS REVOKED
     FROM playbill_batch.daily_statistic
     WHERE day IN (${marks(days)}) AND ${condition(of)}
       AND excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked > 0
     GROUP BY creator_id, video_id`,
    [...days, ...parameters(of)],
  );
}

const REASONS = ['SELF_VIEW', 'REPEAT', 'TOO_SHORT', 'REVOKED'] as const;

function excludedOf(row: Row): ExcludedTotals {
  const counts = REASONS.map((reason) => [reason, BigInt(row[reason]!)] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0n));
}

function marks(days: readonly KstDay[]): string {
  return days.map(() => '?').join(', ');
}

function condition({ creatorId }: Of, prefix = ''): string {
  const slice = `${prefix}creator_slice = ?`;
  return creatorId === undefined ? slice : `${slice} AND ${prefix}creator_id = ?`;
}

function parameters({ creatorSlice, creatorId }: Of): unknown[] {
  return creatorId === undefined ? [creatorSlice] : [creatorSlice, creatorId];
}

const TITLES_MAX = 1_000;

/** The titles of these videos; one that is not registered is absent. By primary key, up to 1,000 at a time. */
export async function readTitles(db: Queryable, videoIds: readonly bigint[]): Promise<Map<bigint, string>> {
  const titles = new Map<bigint, string>();
  for (let at = 0; at < videoIds.length; at += TITLES_MAX) {
    const part = videoIds.slice(at, at + TITLES_MAX);
    const rows: { video_id: string; title: string }[] = await db.query(
      `SELECT video_id, title FROM playbill_video.video WHERE video_id IN (${part.join(', ')})`,
    );
    for (const row of rows) titles.set(BigInt(row.video_id), row.title);
  }
  return titles;
}
