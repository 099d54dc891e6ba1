import { type KstDay, type PostingKind, type Rounding, sliceOf, type Tier } from '#domain';
import { fromDatetime, type Queryable } from '#lib/database';

/** A stored posting of a video. */
export interface StoredPosting {
  readonly kind: PostingKind;
  readonly eventDay: KstDay;
  readonly billedOn: KstDay;
  readonly postedAtMs: number;
  /** Why it was made (docs/ledger.md). */
  readonly cause: string;
  readonly tariffVersion: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly amount: bigint;
  /** The run that made it. */
  readonly runId: string;
}

/** Cause of a posting that has no adjustment row. */
export const FIRST_SETTLEMENT = 'DAY';

const COLUMNS = `p.kind, p.seq, p.event_day, p.billed_on, p.tariff_version, p.from_position, p.to_position, p.amount,
  COALESCE(r.posted_at, r.created_at) AS posted_at, r.run_id, a.cause`;
const JOINS = `JOIN playbill_batch.run r ON r.run_number = p.run_number
  LEFT JOIN playbill_batch.adjustment a ON a.billed_on = p.billed_on AND a.creator_slice = p.creator_slice
    AND a.creator_id = p.creator_id AND a.event_day = p.event_day AND a.video_id = p.video_id AND a.kind = p.kind
    AND a.seq = p.seq`;

/**
 * The postings of a video that are of the day or billed on it, views before advertisements, each in the order in which they were made. By primary key;
 * adjustments of earlier days by theirs.
 */
export async function postingsOfVideo(
  db: Queryable,
  { creatorId, videoId, day }: { creatorId: bigint; videoId: bigint; day: KstDay },
): Promise<StoredPosting[]> {
  const slice = sliceOf(creatorId);
  const rows: Record<string, string>[] = await db.query(
    `SELECT ${COLUMNS} FROM playbill_batch.posting p ${JOINS}
     WHERE p.event_day = ? AND p.creator_slice = ? AND p.creator_id = ? AND p.video_id = ?
     UNION
     SELECT ${COLUMNS} FROM playbill_batch.adjustment x JOIN playbill_batch.posting p
       ON p.event_day = x.event_day AND p.creator_slice = x.creator_slice AND p.creator_id = x.creator_id
         AND p.video_id = x.video_id AND p.kind = x.kind AND p.seq = x.seq ${JOINS}
     WHERE x.billed_on = ? AND x.creator_slice = ? AND x.creator_id = ? AND x.video_id = ?
     ORDER BY billed_on, event_day, seq`,
    [day, slice, creatorId, videoId, day, slice, creatorId, videoId],
  );
  const postings = rows.map((row) => ({
    kind: row.kind as PostingKind,
    eventDay: row.event_day as KstDay,
    billedOn: row.billed_on as KstDay,
    postedAtMs: fromDatetime(row.posted_at!),
    cause: row.cause ?? FIRST_SETTLEMENT,
    tariffVersion: Number(row.tariff_version),
    from: BigInt(row.from_position!),
    to: BigInt(row.to_position!),
    amount: BigInt(row.amount!),
    runId: row.run_id!,
  }));
  const isView = ({ kind }: StoredPosting) => kind === 'view';
  return [...postings.filter(isView), ...postings.filter((posting) => !isView(posting))];
}

export interface PricedTariff {
  readonly rounding: Rounding;
  readonly tiers: Readonly<Record<PostingKind, readonly Tier[]>>;
}

/** The tariffs with these versions. A few rows by primary key. */
export async function readTariffs(db: Queryable, versions: readonly number[]): Promise<Map<number, PricedTariff>> {
  if (versions.length === 0) return new Map();
  const list = versions.join(', ');
  const tariffs: { version: number; rounding: Rounding }[] = await db.query(
    `SELECT version, rounding FROM playbill_batch.tariff WHERE version IN (${list})`,
  );
  const rows: { version: number; kind: PostingKind; from_position: string; unit_price_tenths: string }[] =
    await db.query(
      `SELECT version, kind, from_position, unit_price_tenths FROM playbill_batch.tariff_tier
       WHERE version IN (${list}) ORDER BY version, kind, from_position`,
    );
  const tiers = (version: number, kind: PostingKind): Tier[] =>
    rows
      .filter((row) => Number(row.version) === version && row.kind === kind)
      .map((row) => ({ from: BigInt(row.from_position), unitPriceTenths: BigInt(row.unit_price_tenths) }));
  return new Map(
    tariffs.map(({ version, rounding }) => [
      Number(version),
      { rounding, tiers: { view: tiers(Number(version), 'view'), ad: tiers(Number(version), 'ad') } },
    ]),
  );
}

/** Who owns a video; undefined when it is not registered. By primary key. */
export async function creatorOfVideo(db: Queryable, videoId: bigint): Promise<bigint | undefined> {
  const [row] = await db.query('SELECT creator_id FROM playbill_video.video WHERE video_id = ?', [videoId]);
  return row === undefined ? undefined : BigInt(row.creator_id);
}
