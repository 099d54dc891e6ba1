import type { KstDay, Tariff, Tier } from '#domain';
import type { Queryable } from '#lib/database';
import type { Difference, DifferenceKind } from '../domain/reconciliation.js';
import { exactNumber } from '../domain/reconciliation.js';
import { SUM_COLUMNS, slicesWithEvents, VIDEO_SUMS } from './event-repository.js';

/**
 * The statements that prove one day. They share nothing with those that made it, and price postings by SQL of their
 * own. The events are read once; everything else goes by the day's keys, however long the books are.
 */

/** So many differences of a kind are listed. */
export const LISTED_MAX = 100;

type Row = Record<string, string | number | null>;

const POSTING = 'playbill_batch.posting';
const ENTRY = 'playbill_batch.ledger_entry';

const IS_EQUAL = SUM_COLUMNS.map((name) => `e.${name} <=> s.${name}`).join(' AND ');

export interface EventTotals {
  readonly events: bigint;
  readonly counted: bigint;
  readonly differences: readonly Difference[];
}

/** Sums the day's events anew and compares every video with its statistics. One scan of the day, a slice at a time. */
export async function compareEvents(db: Queryable, day: KstDay): Promise<EventTotals> {
  let [events, counted] = [0n, 0n];
  const differences: Difference[] = [];
  for (const slice of await slicesToCompare(db, day)) {
    const [row]: Row[] = await db.query(
      `SELECT COALESCE(SUM(e.events), 0) AS events, COALESCE(SUM(e.views), 0) AS counted,
         COUNT(s.video_id) AS matched, COALESCE(SUM(NOT (${IS_EQUAL})), 0) AS unequal,
         (SELECT COUNT(*) FROM playbill_batch.daily_statistic WHERE day = ? AND slice = ?) AS stored_rows
       FROM (SELECT video_id, ${VIDEO_SUMS} FROM playbill_watch.watch_event WHERE day = ? AND slice = ?
         GROUP BY video_id) e
       LEFT JOIN playbill_batch.daily_statistic s ON s.day = ? AND s.slice = ? AND s.video_id = e.video_id`,
      [day, slice, day, slice, day, slice],
    );
    events += BigInt(row!.events!);
    counted += BigInt(row!.counted!);
    const isProven = Number(row!.unequal) === 0 && Number(row!.matched) === Number(row!.stored_rows);
    if (!isProven && differences.length < LISTED_MAX) differences.push(...(await unequalVideos(db, day, slice)));
  }
  return { events, counted, differences: differences.slice(0, LISTED_MAX) };
}

/** Slices with events or statistics: by seeks, and one read of the statistics' keys. */
async function slicesToCompare(db: Queryable, day: KstDay): Promise<number[]> {
  const stored: Row[] = await db.query('SELECT DISTINCT slice FROM playbill_batch.daily_statistic WHERE day = ?', [
    day,
  ]);
  const slices = new Set([...(await slicesWithEvents(db, day)), ...stored.map((row) => Number(row.slice))]);
  return [...slices].sort((a, b) => a - b);
}

/** The videos of a slice whose events and statistics differ, from either side. */
async function unequalVideos(db: Queryable, day: KstDay, slice: number): Promise<Difference[]> {
  const sides = ['e', 's']
    .flatMap((side) => SUM_COLUMNS.map((name) => `${side}.${name} AS ${side}_${name}`))
    .join(', ');
  const ofEvents = `(SELECT video_id, ${VIDEO_SUMS} FROM playbill_watch.watch_event WHERE day = ? AND slice = ?
    GROUP BY video_id) e`;
  const ofStatistics = '(SELECT * FROM playbill_batch.daily_statistic WHERE day = ? AND slice = ?) s';
  const rows: Row[] = await db.query(
    `SELECT e.video_id, ${sides} FROM ${ofEvents} LEFT JOIN ${ofStatistics} ON s.video_id = e.video_id
       WHERE NOT (${IS_EQUAL})
     UNION ALL
     SELECT s.video_id, ${sides} FROM ${ofStatistics} LEFT JOIN ${ofEvents} ON s.video_id = e.video_id
       WHERE e.video_id IS NULL
     LIMIT ${LISTED_MAX}`,
    [day, slice, day, slice, day, slice, day, slice],
  );
  const [mark]: Row[] = await db.query('SELECT 1 FROM playbill_watch.dirty_slice WHERE day = ? AND slice = ?', [
    day,
    slice,
  ]);
  const waits = mark === undefined ? '' : '; its slice is marked and waits for the next run';
  return rows.map((row) => {
    const parts = SUM_COLUMNS.filter((name) => String(row[`e_${name}`]) !== String(row[`s_${name}`])).map(
      (name) => `${name} ${row[`e_${name}`] ?? 'none'} in the events, ${row[`s_${name}`] ?? 'none'} in the statistics`,
    );
    return {
      kind: 'events/statistics',
      detail: parts.join('; ') + waits,
      keys: { day, slice, videoId: row.video_id! },
    };
  });
}

export interface StatisticTotals {
  readonly videos: bigint;
  readonly views: bigint;
  readonly playTime: bigint;
  readonly adViews: bigint;
  readonly excluded: bigint;
  /** Events that the day's record of completion names; null when the day has none. */
  readonly recordedEvents: bigint | null;
}

/** The day's stored statistics. One read of its rows. */
export async function sumStatistics(db: Queryable, day: KstDay): Promise<StatisticTotals> {
  const [row]: Row[] = await db.query(
    `SELECT COUNT(*) AS videos, COALESCE(SUM(views), 0) AS views, COALESCE(SUM(play_time), 0) AS play_time,
       COALESCE(SUM(ad_views), 0) AS ad_views,
       COALESCE(SUM(excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked), 0) AS excluded,
       (SELECT events FROM playbill_batch.statistic_day WHERE day = ?) AS recorded
     FROM playbill_batch.daily_statistic WHERE day = ?`,
    [day, day],
  );
  return {
    videos: BigInt(row!.videos!),
    views: BigInt(row!.views!),
    playTime: BigInt(row!.play_time!),
    adViews: BigInt(row!.ad_views!),
    excluded: BigInt(row!.excluded!),
    recordedEvents: row!.recorded === null ? null : BigInt(row!.recorded!),
  };
}

export interface PostingTotals {
  readonly count: bigint;
  readonly views: bigint;
  readonly adViews: bigint;
  readonly amount: bigint;
}

/** The day's postings. One read of its rows. */
export async function sumPostings(db: Queryable, day: KstDay): Promise<PostingTotals> {
  const [row]: Row[] = await db.query(
    `SELECT COUNT(*) AS count, COALESCE(SUM(IF(kind = 'view', to_position - from_position, 0)), 0) AS views,
       COALESCE(SUM(IF(kind = 'ad', to_position - from_position, 0)), 0) AS ad_views, COALESCE(SUM(amount), 0) AS amount
     FROM ${POSTING} WHERE event_day = ?`,
    [day],
  );
  return {
    count: BigInt(row!.count!),
    views: BigInt(row!.views!),
    adViews: BigInt(row!.ad_views!),
    amount: BigInt(row!.amount!),
  };
}

/** Videos whose posted units are not those of their statistics, from either side. One read of both. */
export async function compareStatisticsWithPostings(db: Queryable, day: KstDay): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT video_id, SUM(views) AS views, SUM(posted_views) AS posted_views, SUM(ads) AS ads,
       SUM(posted_ads) AS posted_ads
     FROM (
       SELECT video_id, views, ad_views AS ads, 0 AS posted_views, 0 AS posted_ads
         FROM playbill_batch.daily_statistic WHERE day = ?
       UNION ALL
       SELECT video_id, 0, 0, SUM(IF(kind = 'view', to_position - from_position, 0)),
         SUM(IF(kind = 'ad', to_position - from_position, 0))
         FROM ${POSTING} WHERE event_day = ? GROUP BY creator_slice, creator_id, video_id) u
     GROUP BY video_id HAVING SUM(views) <> SUM(posted_views) OR SUM(ads) <> SUM(posted_ads)
     ORDER BY video_id LIMIT ${LISTED_MAX}`,
    [day, day],
  );
  return rows.map((row) => ({
    kind: 'statistics/postings',
    detail: `views ${row.views}, posted ${row.posted_views}; ad views ${row.ads}, posted ${row.posted_ads}`,
    keys: { day, videoId: row.video_id! },
  }));
}

/** The exact price in tenths of the units between two expressions, tier by tier. */
function priceSql(tiers: readonly Tier[], from: string, to: string): string {
  const parts = tiers.map((tier, i) => {
    const next = tiers[i + 1];
    const upper = next === undefined ? to : `LEAST(${to}, ${next.from})`;
    return `GREATEST(0, ${upper} - GREATEST(${from}, ${tier.from})) * ${tier.unitPriceTenths}`;
  });
  return `(${parts.join(' + ')})`;
}

/** The amount of a posting by its positions, for any of the tariffs: rules "Settlement" 1 to 3, in SQL. */
function amountSql(tariffs: readonly Tariff[]): string {
  const [low, high] = ['LEAST(p.from_position, p.to_position)', 'GREATEST(p.from_position, p.to_position)'];
  const whens = tariffs.flatMap((tariff) =>
    (['view', 'ad'] as const).map((kind) => {
      const price = (from: string, to: string) => `${priceSql(tariff[kind], from, to)} DIV 10`;
      const amount = tariff.rounding === 'line' ? price(low, high) : `(${price('0', high)}) - (${price('0', low)})`;
      return `WHEN p.tariff_version = ${tariff.version} AND p.kind = '${kind}' THEN ${amount}`;
    }),
  );
  return `SIGN(CAST(p.to_position AS SIGNED) - p.from_position) * CASE ${whens.join(' ')} END`;
}

const POSTING_KEYS = 'p.creator_id, p.video_id, p.kind, p.seq, p.ledger_seq';

function postingKeys(day: KstDay, row: Row): Difference['keys'] {
  return {
    day,
    creatorId: row.creator_id!,
    videoId: row.video_id!,
    kind: row.kind!,
    seq: Number(row.seq),
    ledgerSeq: Number(row.ledger_seq),
  };
}

/** Postings whose amount is not what their positions cost, or whose tariff is not the day's. One read of the day's. */
export async function checkAmounts(
  db: Queryable,
  day: KstDay,
  { tariffs, version }: { tariffs: readonly Tariff[]; version: number },
): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT ${POSTING_KEYS}, p.from_position, p.to_position, p.amount, p.tariff_version, ${amountSql(tariffs)} AS priced
     FROM ${POSTING} p WHERE p.event_day = ? AND (p.tariff_version <> ? OR NOT (p.amount <=> (${amountSql(tariffs)})))
     LIMIT ${LISTED_MAX}`,
    [day, version],
  );
  return rows.map((row) => ({
    kind: Number(row.tariff_version) === version ? 'posting/amount' : 'posting/tariff',
    detail:
      Number(row.tariff_version) === version
        ? `${row.amount} won posted for ${row.from_position} to ${row.to_position}, which cost ${row.priced}`
        : `priced by tariff ${row.tariff_version}, in effect on the day is ${version}`,
    keys: postingKeys(day, row),
  }));
}

/**
 * Postings that do not start where the one before them ended, that the video's position does not know, or that pay
 * another than the video's owner. By primary keys: two to four rows a posting.
 */
export async function checkChains(db: Queryable, day: KstDay): Promise<Difference[]> {
  const [opening, end, last, lastDay] = [
    "IF(p.kind = 'view', s.opening_views, s.opening_ads)",
    "IF(p.kind = 'view', s.views, s.ads)",
    "IF(p.kind = 'view', s.view_seq, s.ad_seq)",
    "IF(p.kind = 'view', s.view_day, s.ad_day)",
  ];
  const isJoined = `IF(p.seq = 1, p.from_position <=> ${opening} AND p.previous_day IS NULL, q.to_position <=> p.from_position)`;
  const isKnown = `(${last} > p.seq OR (${last} = p.seq AND ${end} = p.to_position AND ${lastDay} = p.event_day)) <=> 1`;
  const rows: Row[] = await db.query(
    `SELECT ${POSTING_KEYS}, p.from_position, p.to_position, q.to_position AS before_to, ${opening} AS opening,
       ${end} AS position, ${last} AS last_seq, v.creator_id AS owner,
       NOT (${isJoined}) AS unjoined, NOT (${isKnown}) AS unknown_end, NOT (v.creator_id <=> p.creator_id) AS misdirected
     FROM ${POSTING} p
     LEFT JOIN ${POSTING} q ON q.event_day = p.previous_day AND q.creator_slice = p.creator_slice
       AND q.creator_id = p.creator_id AND q.video_id = p.video_id AND q.kind = p.kind AND q.seq = p.seq - 1
     LEFT JOIN playbill_batch.position s ON s.video_id = p.video_id
     LEFT JOIN playbill_video.video v ON v.video_id = p.video_id
     WHERE p.event_day = ?
       AND NOT (${isJoined} AND ${isKnown} AND (v.creator_id <=> p.creator_id) AND p.creator_slice = p.creator_id % 64)
     LIMIT ${LISTED_MAX}`,
    [day],
  );
  return rows.flatMap((row) => chainDifferences(day, row));
}

function chainDifferences(day: KstDay, row: Row): Difference[] {
  const keys = postingKeys(day, row);
  const found: Difference[] = [];
  const add = (kind: DifferenceKind, detail: string) => found.push({ kind, detail, keys });
  if (Number(row.unjoined) === 1) {
    const before = Number(row.seq) === 1 ? `the opening position ${row.opening ?? 'none'}` : (row.before_to ?? 'none');
    add('position/chain', `starts at ${row.from_position}, before it the chain ended at ${before}`);
  }
  if (Number(row.unknown_end) === 1) {
    add(
      'position/end',
      `posting ${row.seq} ends at ${row.to_position}, the video's position is ${row.position ?? 'none'} after ${row.last_seq ?? 'no'} postings`,
    );
  }
  if (Number(row.misdirected) === 1) add('posting/creator', `the video belongs to creator ${row.owner ?? 'none'}`);
  if (found.length === 0) add('posting/creator', 'stored in a slice that is not its creator’s');
  return found;
}

/** Adjustments that are not indexed by the day they are billed on, or first postings that are. By primary keys. */
export async function checkBilling(db: Queryable, day: KstDay): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT ${POSTING_KEYS}, p.billed_on FROM ${POSTING} p
     LEFT JOIN playbill_batch.adjustment a ON a.billed_on = p.billed_on AND a.creator_slice = p.creator_slice
       AND a.creator_id = p.creator_id AND a.event_day = p.event_day AND a.video_id = p.video_id AND a.kind = p.kind
       AND a.seq = p.seq
     WHERE p.event_day = ? AND (p.billed_on < p.event_day OR (p.billed_on = p.event_day) <> (a.seq IS NULL))
     LIMIT ${LISTED_MAX}`,
    [day],
  );
  return rows.map((row) => ({
    kind: 'posting/billing',
    detail: `billed on ${row.billed_on}, ${row.billed_on === day ? 'yet listed' : 'but not listed'} as an adjustment of that day`,
    keys: postingKeys(day, row),
  }));
}

/** The hash that an entry `l` must have after the entry `b`, as domain/ledger has it. */
export const ENTRY_HASH = `UNHEX(SHA2(CONCAT_WS('|', IF(l.seq = 1, REPEAT('0', 64), LOWER(HEX(b.hash))), l.creator_id,
  l.seq, l.event_day, l.video_id, l.kind, l.posting_seq, l.amount, l.run_number), 256))`;

const IS_ENTRY = `(l.event_day = p.event_day AND l.video_id = p.video_id AND l.kind = p.kind AND l.posting_seq = p.seq
  AND l.run_number = p.run_number AND l.amount = p.amount) <=> 1`;

export interface LedgerTotals {
  readonly entries: bigint;
  readonly creators: bigint;
  readonly amount: bigint;
  readonly differences: readonly Difference[];
}

/** Every posting's ledger entry, and its hash by the one before. By primary keys: two entries a posting. */
export async function checkLedger(db: Queryable, day: KstDay): Promise<LedgerTotals> {
  const from = `FROM ${POSTING} p
    LEFT JOIN ${ENTRY} l ON l.creator_id = p.creator_id AND l.seq = p.ledger_seq
    LEFT JOIN ${ENTRY} b ON b.creator_id = p.creator_id AND b.seq = p.ledger_seq - 1
    WHERE p.event_day = ?`;
  const [totals]: Row[] = await db.query(
    `SELECT COUNT(l.seq) AS entries, COUNT(DISTINCT p.creator_id) AS creators, COALESCE(SUM(l.amount), 0) AS amount,
       COALESCE(SUM(NOT (${IS_ENTRY})), 0) AS unequal, COALESCE(SUM(NOT (l.hash <=> ${ENTRY_HASH})), 0) AS unchained ${from}`,
    [day],
  );
  const isProven = Number(totals!.unequal) === 0 && Number(totals!.unchained) === 0;
  return {
    entries: BigInt(totals!.entries!),
    creators: BigInt(totals!.creators!),
    amount: BigInt(totals!.amount!),
    differences: [...(isProven ? [] : await unequalEntries(db, day, from)), ...(await checkHeads(db, day))],
  };
}

async function unequalEntries(db: Queryable, day: KstDay, from: string): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT ${POSTING_KEYS}, p.amount, l.amount AS entry_amount, l.seq AS entry_seq, l.video_id AS entry_video,
       l.event_day AS entry_day, b.seq AS before_seq, NOT (${IS_ENTRY}) AS unequal,
       NOT (l.hash <=> ${ENTRY_HASH}) AS unchained
     ${from} AND NOT (${IS_ENTRY} AND l.hash <=> ${ENTRY_HASH}) LIMIT ${LISTED_MAX}`,
    [day],
  );
  return rows.flatMap((row) => {
    const keys = postingKeys(day, row);
    const found: Difference[] = [];
    if (Number(row.unequal) === 1) {
      const entry =
        row.entry_seq === null
          ? 'has no ledger entry'
          : `its entry says ${row.entry_amount} won for video ${row.entry_video} on ${row.entry_day}`;
      found.push({ kind: 'postings/ledger', detail: `${row.amount} won posted, ${entry}`, keys });
    }
    if (Number(row.unchained) === 1 && row.entry_seq !== null) {
      const isGap = row.before_seq === null && Number(row.ledger_seq) > 1;
      found.push({ kind: 'ledger/chain', detail: chainDetail(isGap), keys });
    }
    return found;
  });
}

/** What is wrong with a link of a hash chain. */
export function chainDetail(isGap: boolean): string {
  return isGap ? 'the entry before it is missing' : "the entry's hash does not follow from the one before it";
}

/** The ends of the chains of the day's creators: what the account knows is the last entry. A few rows a creator. */
async function checkHeads(db: Queryable, day: KstDay): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT c.creator_id, a.last_seq, l.seq AS entry_seq, n.seq AS next_seq
     FROM (SELECT DISTINCT creator_id FROM ${POSTING} WHERE event_day = ?) c
     LEFT JOIN playbill_batch.ledger_account a ON a.creator_id = c.creator_id
     LEFT JOIN ${ENTRY} l ON l.creator_id = a.creator_id AND l.seq = a.last_seq
     LEFT JOIN ${ENTRY} n ON n.creator_id = a.creator_id AND n.seq = a.last_seq + 1
     WHERE NOT (l.hash <=> a.last_hash) OR a.creator_id IS NULL OR n.seq IS NOT NULL LIMIT ${LISTED_MAX}`,
    [day],
  );
  return rows.map((row) => ({
    kind: 'ledger/head',
    detail: headDetail(row),
    keys: { day, creatorId: row.creator_id!, seq: exactNumber(row.last_seq ?? 0) },
  }));
}

function headDetail(row: Row): string {
  if (row.last_seq === null) return 'the creator has entries but no account';
  if (row.next_seq !== null) return `the account ends at entry ${row.last_seq}, but there is one more`;
  return `the account ends at entry ${row.last_seq}, which is ${row.entry_seq === null ? 'missing' : 'another'}`;
}
