import { type KstDay, sliceOf } from '#domain';
import { type BulkInsert, bulkInsert, type Queryable } from '#lib/database';
import type { Position, Posting, VideoUnits } from '../domain/settle-video.js';

/**
 * What one slice of creators has for a day: counted units from the statistics beside the units already posted.
 * Reads the slice's statistics by the index by_creator and its postings by primary key. Ordered by creator and video.
 */
export async function readVideoUnits(db: Queryable, day: KstDay, creatorSlice: number): Promise<VideoUnits[]> {
  const counted: Record<string, string>[] = await db.query(
    `SELECT video_id, creator_id, views, ad_views FROM playbill_batch.daily_statistic
     WHERE day = ? AND creator_slice = ?`,
    [day, creatorSlice],
  );
  const posted: Record<string, string>[] = await db.query(
    `SELECT creator_id, video_id,
       SUM(IF(kind = 'view', to_position - from_position, 0)) AS views,
       SUM(IF(kind = 'ad', to_position - from_position, 0)) AS ad_views
     FROM playbill_batch.posting WHERE event_day = ? AND creator_slice = ? GROUP BY creator_id, video_id`,
    [day, creatorSlice],
  );
  const videos = new Map<string, VideoUnits>();
  for (const row of counted) {
    videos.set(row.video_id!, {
      videoId: BigInt(row.video_id!),
      creatorId: BigInt(row.creator_id!),
      views: BigInt(row.views!),
      adViews: BigInt(row.ad_views!),
      postedViews: 0n,
      postedAdViews: 0n,
    });
  }
  for (const row of posted) {
    const known = videos.get(row.video_id!);
    videos.set(row.video_id!, {
      videoId: BigInt(row.video_id!),
      creatorId: BigInt(row.creator_id!),
      views: known?.views ?? 0n,
      adViews: known?.adViews ?? 0n,
      postedViews: BigInt(row.views!),
      postedAdViews: BigInt(row.ad_views!),
    });
  }
  return [...videos.values()].sort((a, b) => compare(a.creatorId, b.creatorId) || compare(a.videoId, b.videoId));
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where the chains of these videos end now; a video that was never settled is absent. By primary key. */
export async function readPositions(tx: Queryable, videoIds: readonly bigint[]): Promise<Map<bigint, Position>> {
  if (videoIds.length === 0) return new Map();
  const rows: Record<string, string>[] = await tx.query(
    `SELECT video_id, views, ads, view_seq, ad_seq, view_day, ad_day FROM playbill_batch.position WHERE video_id IN (${videoIds.join(', ')})`,
  );
  return new Map(
    rows.map((row) => [
      BigInt(row.video_id!),
      {
        views: BigInt(row.views!),
        ads: BigInt(row.ads!),
        viewSeq: Number(row.view_seq),
        adSeq: Number(row.ad_seq),
        viewDay: (row.view_day ?? null) as KstDay | null,
        adDay: (row.ad_day ?? null) as KstDay | null,
      },
    ]),
  );
}

/** A posting with its entry in its creator's ledger chain. */
export interface EnteredPosting {
  readonly posting: Posting;
  readonly ledgerSeq: bigint;
  /** Of the entry, in hexadecimal. */
  readonly hash: string;
}

/** Why an adjustment is made; see docs/ledger.md. */
export type AdjustmentCause = 'LATE' | 'REVOKED' | 'CORRECTION';

export interface PostingsInsert {
  readonly entered: readonly EnteredPosting[];
  readonly creatorSlice: number;
  readonly runNumber: number;
  readonly causeOf: (posting: Posting) => AdjustmentCause;
}

/** Stores the postings of one slice; those billed on another day than their event day are indexed as adjustments. */
export async function insertPostings(
  tx: Queryable,
  { entered, creatorSlice, runNumber, causeOf }: PostingsInsert,
): Promise<void> {
  const first = entered[0]?.posting;
  if (first === undefined) return;
  const { eventDay, billedOn, tariffVersion } = first;
  const day = { event_day: eventDay, creator_slice: creatorSlice, billed_on: billedOn };
  await bulkInsert(
    tx,
    {
      table: 'playbill_batch.posting',
      columns: [
        'creator_id',
        'video_id',
        'kind',
        'seq',
        'from_position',
        'to_position',
        'amount',
        'previous_day',
        'ledger_seq',
      ],
      values: ({ posting: p, ledgerSeq }) => [
        p.creatorId,
        p.videoId,
        p.kind,
        p.seq,
        p.from,
        p.to,
        p.amount,
        p.previousDay,
        ledgerSeq,
      ],
      constants: { ...day, tariff_version: tariffVersion, run_number: runNumber },
    },
    entered,
  );
  if (billedOn === eventDay) return;
  await bulkInsert(
    tx,
    {
      table: 'playbill_batch.adjustment',
      columns: ['creator_id', 'video_id', 'kind', 'seq', 'cause'],
      values: ({ posting: p }) => [p.creatorId, p.videoId, p.kind, p.seq, causeOf(p)],
      constants: day,
    },
    entered,
  );
}

const POSITION_UPSERT: BulkInsert<readonly [videoId: bigint, Position]> = {
  table: 'playbill_batch.position',
  columns: ['video_id', 'views', 'ads', 'view_seq', 'ad_seq', 'view_day', 'ad_day'],
  values: ([videoId, p]) => [videoId, p.views, p.ads, p.viewSeq, p.adSeq, p.viewDay, p.adDay],
  onDuplicate: `ON DUPLICATE KEY UPDATE views = VALUES(views), ads = VALUES(ads), view_seq = VALUES(view_seq),
    ad_seq = VALUES(ad_seq), view_day = VALUES(view_day), ad_day = VALUES(ad_day)`,
};

/** Moves the ends of the chains. */
export async function savePositions(tx: Queryable, positions: ReadonlyMap<bigint, Position>): Promise<void> {
  await bulkInsert(tx, POSITION_UPSERT, [...positions]);
}

/** The end of a creator's ledger chain. `hash` in hexadecimal. */
export interface LedgerHead {
  readonly seq: bigint;
  readonly hash: string;
}

/** The ends of these creators' ledger chains, held for the rest of the transaction; a new creator is absent. */
export async function lockLedgerHeads(tx: Queryable, creatorIds: readonly bigint[]): Promise<Map<bigint, LedgerHead>> {
  if (creatorIds.length === 0) return new Map();
  const rows: Record<string, string>[] = await tx.query(
    `SELECT creator_id, last_seq, LOWER(HEX(last_hash)) AS last_hash FROM playbill_batch.ledger_account
     WHERE creator_id IN (${creatorIds.join(', ')}) ORDER BY creator_id FOR UPDATE`,
  );
  return new Map(rows.map((row) => [BigInt(row.creator_id!), { seq: BigInt(row.last_seq!), hash: row.last_hash! }]));
}

/** Appends the entries of one run's postings of an event day to their creators' chains. */
export async function appendLedgerEntries(
  tx: Queryable,
  { entered, runNumber }: { entered: readonly EnteredPosting[]; runNumber: number },
): Promise<void> {
  const first = entered[0]?.posting;
  if (first === undefined) return;
  await bulkInsert(
    tx,
    {
      table: 'playbill_batch.ledger_entry',
      columns: ['creator_id', 'seq', 'video_id', 'kind', 'posting_seq', 'amount', 'hash'],
      values: ({ posting: p, ledgerSeq, hash }) => [
        p.creatorId,
        ledgerSeq,
        p.videoId,
        p.kind,
        p.seq,
        p.amount,
        { hex: hash },
      ],
      constants: { event_day: first.eventDay, run_number: runNumber },
    },
    entered,
  );
}

const LEDGER_HEAD_UPSERT: BulkInsert<readonly [creatorId: bigint, LedgerHead]> = {
  table: 'playbill_batch.ledger_account',
  columns: ['creator_id', 'last_seq', 'last_hash'],
  values: ([creatorId, head]) => [creatorId, head.seq, { hex: head.hash }],
  onDuplicate: 'ON DUPLICATE KEY UPDATE last_seq = VALUES(last_seq), last_hash = VALUES(last_hash)',
};

export async function saveLedgerHeads(tx: Queryable, heads: ReadonlyMap<bigint, LedgerHead>): Promise<void> {
  await bulkInsert(tx, LEDGER_HEAD_UPSERT, [...heads]);
}

/** The last day that was settled, or null before the books are open. */
export async function lastSettledDay(db: Queryable): Promise<KstDay | null> {
  const [row] = await db.query('SELECT MAX(day) AS day FROM playbill_batch.settlement_day');
  return (row?.day ?? null) as KstDay | null;
}

/** Records that the day is settled. @returns its new revision, from 1 */
export async function completeSettlementDay(tx: Queryable, day: KstDay, runId: string): Promise<number> {
  await tx.query(
    `INSERT INTO playbill_batch.settlement_day (day, revision, run_id, completed_at) VALUES (?, 1, ?, UTC_TIMESTAMP(3))
     ON DUPLICATE KEY UPDATE revision = revision + 1, run_id = VALUES(run_id), completed_at = VALUES(completed_at)`,
    [day, runId],
  );
  const [row] = await tx.query('SELECT revision FROM playbill_batch.settlement_day WHERE day = ?', [day]);
  return Number(row.revision);
}

/**
 * Settled days whose statistics were completed by a later run than the one that settled them, e.g. one of statistics
 * only: what that found is not posted yet. By day; three rows by primary keys a settled day.
 */
export async function daysWithNewerStatistics(db: Queryable): Promise<KstDay[]> {
  const rows: { day: KstDay }[] = await db.query(
    `SELECT s.day FROM playbill_batch.statistic_day s
     JOIN playbill_batch.settlement_day p ON p.day = s.day
     JOIN playbill_batch.run sr ON sr.run_id = s.run_id JOIN playbill_batch.run pr ON pr.run_id = p.run_id
     WHERE s.run_id <> p.run_id AND sr.run_number > pr.run_number ORDER BY s.day`,
  );
  return rows.map((row) => row.day);
}

/** Whether the day was ever settled. */
export async function isSettled(db: Queryable, day: KstDay): Promise<boolean> {
  const rows: unknown[] = await db.query('SELECT 1 FROM playbill_batch.settlement_day WHERE day = ?', [day]);
  return rows.length > 0;
}

/** Slices of creators with statistics or postings of the day, each with how many videos it has. By two indexes. */
export async function creatorSlicesOf(db: Queryable, day: KstDay): Promise<{ slice: number; weight: number }[]> {
  const rows: { slice: string | number; weight: string }[] = await db.query(
    `SELECT slice, SUM(videos) AS weight FROM (
       SELECT creator_slice AS slice, COUNT(*) AS videos FROM playbill_batch.daily_statistic WHERE day = ?
       GROUP BY creator_slice
       UNION ALL SELECT DISTINCT creator_slice, 0 FROM playbill_batch.posting WHERE event_day = ?) s
     GROUP BY slice ORDER BY slice`,
    [day, day],
  );
  return rows.map((row) => ({ slice: Number(row.slice), weight: Number(row.weight) }));
}

/** Which of these videos have revoked events on the day. By the statistics' primary key. */
export async function videosWithRevoked(
  db: Queryable,
  day: KstDay,
  videoIds: readonly bigint[],
): Promise<ReadonlySet<bigint>> {
  if (videoIds.length === 0) return new Set();
  const rows: { video_id: string }[] = await db.query(
    `SELECT video_id FROM playbill_batch.daily_statistic
     WHERE day = ? AND (slice, video_id) IN (${videoIds.map((id) => `(${sliceOf(id)}, ${id})`).join(', ')})
       AND excluded_revoked > 0`,
    [day],
  );
  return new Set(rows.map((row) => BigInt(row.video_id)));
}

/** Sums a creator's entries up to `seq`, from the checkpoint before it: at most a few ten thousand entries. */
export async function insertCheckpoint(tx: Queryable, creatorId: bigint, seq: bigint): Promise<void> {
  const [last]: { seq: string; balance: string }[] = await tx.query(
    'SELECT seq, balance FROM playbill_batch.ledger_checkpoint WHERE creator_id = ? ORDER BY seq DESC LIMIT 1',
    [creatorId],
  );
  await tx.query(
    `INSERT INTO playbill_batch.ledger_checkpoint (creator_id, seq, balance)
     SELECT ?, ?, ? + SUM(amount) FROM playbill_batch.ledger_entry WHERE creator_id = ? AND seq > ? AND seq <= ?`,
    [creatorId, seq, last?.balance ?? '0', creatorId, last?.seq ?? '0', seq],
  );
}

/** The slice that settles a creator. */
export const creatorSliceOf = sliceOf;
