import { type KstDay, type PostingKind, sliceOf } from '#domain';
import { fromDatetime, type Queryable } from '#lib/database';
import { FIRST_SETTLEMENT } from './posting-repository.js';

/** One double entry of a creator's ledger. */
export interface StoredEntry {
  readonly seq: bigint;
  readonly eventDay: KstDay;
  readonly billedOn: KstDay;
  readonly postedAtMs: number;
  readonly videoId: bigint;
  readonly kind: PostingKind;
  /** Why it was made (docs/ledger.md). */
  readonly cause: string;
  readonly amount: bigint;
  /** SHA-256 in hexadecimal, over the hash before it and this entry. */
  readonly hash: string;
}

/** A creator's entries from the newest on, below `before`. By primary key, each with its posting by primary key. */
export async function ledgerPage(
  db: Queryable,
  { creatorId, before, limit }: { creatorId: bigint; before: bigint | undefined; limit: number },
): Promise<StoredEntry[]> {
  const rows: Record<string, string>[] = await db.query(
    `SELECT e.seq, e.event_day, p.billed_on, COALESCE(r.posted_at, r.created_at) AS posted_at, e.video_id, e.kind, a.cause, e.amount,
       LOWER(HEX(e.hash)) AS hash
     FROM (SELECT * FROM playbill_batch.ledger_entry WHERE creator_id = ? ${before === undefined ? '' : 'AND seq < ?'}
       ORDER BY seq DESC LIMIT ${limit}) e
     JOIN playbill_batch.posting p ON p.event_day = e.event_day AND p.creator_slice = ? AND p.creator_id = e.creator_id
       AND p.video_id = e.video_id AND p.kind = e.kind AND p.seq = e.posting_seq
     JOIN playbill_batch.run r ON r.run_number = e.run_number
     LEFT JOIN playbill_batch.adjustment a ON a.billed_on = p.billed_on AND a.creator_slice = p.creator_slice
       AND a.creator_id = p.creator_id AND a.event_day = p.event_day AND a.video_id = p.video_id AND a.kind = p.kind
       AND a.seq = p.seq
     ORDER BY e.seq DESC`,
    before === undefined ? [creatorId, sliceOf(creatorId)] : [creatorId, before, sliceOf(creatorId)],
  );
  return rows.map((row) => ({
    seq: BigInt(row.seq!),
    eventDay: row.event_day as KstDay,
    billedOn: row.billed_on as KstDay,
    postedAtMs: fromDatetime(row.posted_at!),
    videoId: BigInt(row.video_id!),
    kind: row.kind as PostingKind,
    cause: row.cause ?? FIRST_SETTLEMENT,
    amount: BigInt(row.amount!),
    hash: row.hash!,
  }));
}

/**
 * The sum of all of a creator's entries: the latest checkpoint and the entries after it (docs/ledger.md), at most
 * 10,000 and those of one commit. By primary key.
 */
export async function ledgerSum(db: Queryable, creatorId: bigint): Promise<{ balance: bigint; entries: bigint }> {
  const [checkpoint] = await db.query(
    'SELECT seq, balance FROM playbill_batch.ledger_checkpoint WHERE creator_id = ? ORDER BY seq DESC LIMIT 1',
    [creatorId],
  );
  const [seq, before] = [BigInt(checkpoint?.seq ?? 0), BigInt(checkpoint?.balance ?? 0)];
  const [row] = await db.query(
    `SELECT COALESCE(SUM(amount), 0) AS amount, COALESCE(MAX(seq), 0) AS last_seq FROM playbill_batch.ledger_entry
     WHERE creator_id = ? AND seq > ?`,
    [creatorId, seq],
  );
  const lastSeq = BigInt(row.last_seq);
  return { balance: before + BigInt(row.amount), entries: lastSeq > seq ? lastSeq : seq };
}
