import { type BillLine, type ExcludedTotals, type KstDay, sliceOf } from '#domain';
import type { Queryable } from '#lib/database';

/** Which days a bill is of. */
export interface BillDays {
  /** Settled days of the period: their first postings are billed, and what was excluded when they were settled. */
  readonly settled: readonly KstDay[];
  /** All days of the period: adjustments billed on them are, and what was excluded later. */
  readonly billed: readonly KstDay[];
}

/** The lines of one creator, by video id. One statement: five range reads a day, along the creator's part of each table. */
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

async function readLines(db: Queryable, of: Of, days: BillDays): Promise<Map<bigint, BillLine[]>> {
  const parts = [
    { select: FIRST_POSTINGS, days: days.settled },
    { select: ADJUSTMENTS, days: days.billed },
    { select: EXCLUDED, days: days.settled },
    { select: EXCLUDED_LATER, days: days.settled },
    { select: LATE_EXCLUSIONS, days: days.billed },
  ].filter((part) => part.days.length > 0);
  if (parts.length === 0) return new Map();
  const rows: Row[] = await db.query(
    `SELECT creator_id, video_id, ${COLUMNS.map((column) => `SUM(\`${column}\`) AS \`${column}\``).join(', ')}
     FROM (${parts.map((part) => part.select(marks(part.days), of)).join(' UNION ALL ')}) part
     GROUP BY creator_id, video_id HAVING ${IS_LINE} ORDER BY video_id`,
    parts.flatMap((part) => [...part.days, ...parameters(of)]),
  );
  const lines = new Map<bigint, BillLine[]>();
  for (const row of rows) {
    const creatorId = BigInt(row.creator_id!);
    const ofCreator = lines.get(creatorId);
    if (ofCreator === undefined) lines.set(creatorId, [lineOf(row)]);
    else ofCreator.push(lineOf(row));
  }
  return lines;
}

function lineOf(row: Row): BillLine {
  return {
    videoId: BigInt(row.video_id!),
    views: BigInt(row.views!),
    adViews: BigInt(row.ad_views!),
    excluded: excludedOf(row),
    videoProfit: BigInt(row.video_profit!),
    adProfit: BigInt(row.ad_profit!),
    adjustments: BigInt(row.adjustments!),
  };
}

const REASONS = ['SELF_VIEW', 'REPEAT', 'TOO_SHORT', 'REVOKED'] as const;

/** What was excluded later only is taken away again, and leaves nothing on the bill of its day. */
const IS_LINE = `SUM(postings) > 0 OR ${REASONS.map((reason) => `SUM(\`${reason}\`) <> 0`).join(' OR ')}`;

const COLUMNS = ['postings', 'views', 'ad_views', 'video_profit', 'ad_profit', 'adjustments', ...REASONS] as const;

/** One of the statement's parts: the columns that it has, and 0 for the others. */
function columns(values: Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>): string {
  return COLUMNS.map((column) => `${values[column] ?? '0'} AS \`${column}\``).join(', ');
}

type Part = (days: string, of: Of) => string;

const positions = (kind: string) => `IF(kind = '${kind}', to_position - from_position, 0)`;
const amount = (kind: string) => `IF(kind = '${kind}', amount, 0)`;

/** Postings billed on their event day, by primary key (event_day, creator_slice, creator_id). */
const FIRST_POSTINGS: Part = (days, of) =>
  `SELECT creator_id, video_id, ${columns({
    postings: '1',
    views: positions('view'),
    ad_views: positions('ad'),
    video_profit: amount('view'),
    ad_profit: amount('ad'),
  })}
   FROM playbill_batch.posting WHERE event_day IN (${days}) AND ${condition(of)} AND billed_on = event_day`;

/** Adjustments by primary key (billed_on, creator_slice, creator_id), each with its posting by primary key. */
const ADJUSTMENTS: Part = (days, of) =>
  `SELECT a.creator_id, a.video_id, ${columns({ postings: '1', adjustments: 'p.amount' })}
   FROM playbill_batch.adjustment a JOIN playbill_batch.posting p
     ON p.event_day = a.event_day AND p.creator_slice = a.creator_slice AND p.creator_id = a.creator_id
       AND p.video_id = a.video_id AND p.kind = a.kind AND p.seq = a.seq
   WHERE a.billed_on IN (${days}) AND ${condition(of, 'a.')}`;

const excluded = (sign: '' | '-' = '') =>
  columns({
    SELF_VIEW: `${sign}excluded_self_view`,
    REPEAT: `${sign}excluded_repeat`,
    TOO_SHORT: `${sign}excluded_too_short`,
    REVOKED: `${sign}excluded_revoked`,
  });

/** Excluded events as they are known now, by the index by_creator (day, creator_slice, creator_id). */
const EXCLUDED: Part = (days, of) =>
  `SELECT creator_id, video_id, ${excluded()}
   FROM playbill_batch.daily_statistic WHERE day IN (${days}) AND ${condition(of)}
     AND excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked > 0`;

/** Those of them that were found when the day was settled already, by the index by_event_day: not on its bill. */
const EXCLUDED_LATER: Part = (days, of) =>
  `SELECT creator_id, video_id, ${excluded('-')}
   FROM playbill_batch.late_exclusion WHERE event_day IN (${days}) AND ${condition(of)}`;

/** Events of earlier days that were found on these, by primary key (billed_on, creator_slice, creator_id). */
const LATE_EXCLUSIONS: Part = (days, of) =>
  `SELECT creator_id, video_id, ${excluded()}
   FROM playbill_batch.late_exclusion WHERE billed_on IN (${days}) AND ${condition(of)}`;

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
