import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';
import { type Difference, exactNumber } from '../domain/reconciliation.js';
import { chainDetail, ENTRY_HASH, LISTED_MAX } from './reconciliation-day.js';

/** The statements that prove what no single day shows. Each reads a whole table once, or a few rows a creator. */

type Row = Record<string, string | number | null>;

/** Days with events, found by jumping along the primary key: two rows a day. */
export async function eventDays(db: Queryable): Promise<KstDay[]> {
  const days: KstDay[] = [];
  let after = '1000-01-01';
  for (;;) {
    const [row]: Row[] = await db.query('SELECT MIN(day) AS day FROM playbill_watch.watch_event WHERE day > ?', [
      after,
    ]);
    if (row?.day === null || row === undefined) return days;
    after = String(row.day);
    days.push(after as KstDay);
  }
}

/** Days that are settled, that have completed statistics, and that have postings. One row a day of each. */
export async function recordedDays(db: Queryable): Promise<{ settled: KstDay[]; counted: KstDay[]; posted: KstDay[] }> {
  const daysOf = async (sql: string) => (await db.query(sql)).map((row: Row) => row.day as KstDay) as KstDay[];
  return {
    settled: await daysOf('SELECT day FROM playbill_batch.settlement_day ORDER BY day'),
    counted: await daysOf('SELECT day FROM playbill_batch.statistic_day ORDER BY day'),
    posted: await daysOf('SELECT DISTINCT event_day AS day FROM playbill_batch.posting ORDER BY event_day'),
  };
}

/** Positions against all postings of their videos: how many, how many units, and that both are there. */
export async function comparePositions(db: Queryable): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT video_id, SUM(v) AS v, SUM(pv) AS pv, SUM(a) AS a, SUM(pa) AS pa, SUM(vn) AS vn, SUM(pvn) AS pvn,
       SUM(an) AS an, SUM(pan) AS pan
     FROM (
       SELECT video_id, views - opening_views AS v, 0 AS pv, ads - opening_ads AS a, 0 AS pa, view_seq AS vn, 0 AS pvn,
         ad_seq AS an, 0 AS pan FROM playbill_batch.position
       UNION ALL
       SELECT video_id, 0, SUM(IF(kind = 'view', to_position - from_position, 0)), 0,
         SUM(IF(kind = 'ad', to_position - from_position, 0)), 0, SUM(kind = 'view'), 0, SUM(kind = 'ad')
         FROM playbill_batch.posting GROUP BY video_id) u
     GROUP BY video_id HAVING SUM(v) <> SUM(pv) OR SUM(a) <> SUM(pa) OR SUM(vn) <> SUM(pvn) OR SUM(an) <> SUM(pan)
     ORDER BY video_id LIMIT ${LISTED_MAX}`,
  );
  return rows.map((row) => ({
    kind: 'position/end',
    detail:
      `the position is ${row.v} views in ${row.vn} postings and ${row.a} ad views in ${row.an} past its opening; ` +
      `posted are ${row.pv} in ${row.pvn} and ${row.pa} in ${row.pan}`,
    keys: { videoId: row.video_id! },
  }));
}

/** Every entry of the ledger: its hash by the one before it, and the posting that it belongs to. */
export async function checkEntries(db: Queryable): Promise<Difference[]> {
  const isPosting = `(p.ledger_seq = l.seq AND p.amount = l.amount AND p.run_number = l.run_number) <=> 1`;
  const rows: Row[] = await db.query(
    `SELECT l.creator_id, l.seq, l.event_day, l.video_id, l.kind, l.posting_seq, l.amount, p.amount AS posted,
       b.seq AS before_seq, NOT (${isPosting}) AS unequal, NOT (l.hash <=> ${ENTRY_HASH}) AS unchained
     FROM playbill_batch.ledger_entry l
     LEFT JOIN playbill_batch.ledger_entry b ON b.creator_id = l.creator_id AND b.seq = l.seq - 1
     LEFT JOIN playbill_batch.posting p ON p.event_day = l.event_day AND p.creator_slice = l.creator_id % 64
       AND p.creator_id = l.creator_id AND p.video_id = l.video_id AND p.kind = l.kind AND p.seq = l.posting_seq
     WHERE NOT (l.hash <=> ${ENTRY_HASH}) OR NOT (${isPosting}) LIMIT ${LISTED_MAX}`,
  );
  return rows.flatMap((row) => {
    const keys = {
      creatorId: row.creator_id!,
      ledgerSeq: exactNumber(row.seq!),
      day: row.event_day!,
      videoId: row.video_id!,
      kind: row.kind!,
      seq: Number(row.posting_seq),
    };
    const found: Difference[] = [];
    if (Number(row.unequal) === 1) {
      const detail = `an entry of ${row.amount} won, posted ${row.posted ?? 'nothing'}`;
      found.push({ kind: 'postings/ledger', detail, keys });
    }
    if (Number(row.unchained) === 1) {
      const isGap = row.before_seq === null && keys.ledgerSeq > 1;
      found.push({ kind: 'ledger/chain', detail: chainDetail(isGap), keys });
    }
    return found;
  });
}

/** Accounts against the ends of their chains, from either side. */
export async function compareHeads(db: Queryable): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT creator_id, SUM(last_seq) AS last_seq, SUM(max_seq) AS max_seq, SUM(entries) AS entries FROM (
       SELECT creator_id, last_seq, 0 AS max_seq, 0 AS entries FROM playbill_batch.ledger_account
       UNION ALL
       SELECT creator_id, 0, MAX(seq), COUNT(*) FROM playbill_batch.ledger_entry GROUP BY creator_id) u
     GROUP BY creator_id HAVING SUM(last_seq) <> SUM(max_seq) OR SUM(entries) <> SUM(max_seq)
     UNION ALL
     SELECT a.creator_id, a.last_seq, l.seq, l.seq FROM playbill_batch.ledger_account a
       JOIN playbill_batch.ledger_entry l ON l.creator_id = a.creator_id AND l.seq = a.last_seq
       WHERE l.hash <> a.last_hash
     LIMIT ${LISTED_MAX}`,
  );
  return rows.map((row) => ({
    kind: 'ledger/head',
    detail: `the account ends at entry ${row.last_seq}; the ledger has ${row.entries} entries, the last is ${row.max_seq}`,
    keys: { creatorId: row.creator_id!, seq: exactNumber(row.last_seq!) },
  }));
}

/** Checkpoints that are not the sum of the entries up to them. Each entry below the last checkpoint is read once. */
export async function checkCheckpoints(db: Queryable): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT c.creator_id, c.seq, c.balance, c.before_balance + COALESCE(SUM(l.amount), 0) AS summed
     FROM (
       SELECT creator_id, seq, balance, COALESCE(LAG(seq) OVER w, 0) AS before_seq,
         COALESCE(LAG(balance) OVER w, 0) AS before_balance
       FROM playbill_batch.ledger_checkpoint WINDOW w AS (PARTITION BY creator_id ORDER BY seq)) c
     LEFT JOIN playbill_batch.ledger_entry l ON l.creator_id = c.creator_id AND l.seq > c.before_seq AND l.seq <= c.seq
     GROUP BY c.creator_id, c.seq, c.balance, c.before_balance
     HAVING c.balance <> summed LIMIT ${LISTED_MAX}`,
  );
  return rows.map((row) => ({
    kind: 'ledger/balance',
    detail: `the checkpoint says ${row.balance} won, the entries up to it sum to ${row.summed}`,
    keys: { creatorId: row.creator_id!, seq: exactNumber(row.seq!) },
  }));
}

/** Adjustments whose posting is missing or billed on another day. By primary keys. */
export async function checkAdjustments(db: Queryable): Promise<Difference[]> {
  const rows: Row[] = await db.query(
    `SELECT a.billed_on, a.creator_id, a.event_day, a.video_id, a.kind, a.seq, p.billed_on AS posted_on
     FROM playbill_batch.adjustment a
     LEFT JOIN playbill_batch.posting p ON p.event_day = a.event_day AND p.creator_slice = a.creator_slice
       AND p.creator_id = a.creator_id AND p.video_id = a.video_id AND p.kind = a.kind AND p.seq = a.seq
     WHERE NOT (p.billed_on <=> a.billed_on) LIMIT ${LISTED_MAX}`,
  );
  return rows.map((row) => ({
    kind: 'posting/billing',
    detail: `listed as an adjustment of ${row.billed_on}, posted ${row.posted_on ?? 'nothing'}`,
    keys: {
      day: row.event_day!,
      creatorId: row.creator_id!,
      videoId: row.video_id!,
      kind: row.kind!,
      seq: Number(row.seq),
    },
  }));
}

export interface BooksTotals {
  readonly postings: { readonly count: bigint; readonly amount: bigint };
  readonly ledger: { readonly entries: bigint; readonly creators: bigint; readonly amount: bigint };
}

/** All money, twice. One read of both tables. */
export async function sumBooks(db: Queryable): Promise<BooksTotals> {
  const [posted]: Row[] = await db.query(
    'SELECT COUNT(*) AS count, COALESCE(SUM(amount), 0) AS amount FROM playbill_batch.posting',
  );
  const [entered]: Row[] = await db.query(
    `SELECT COUNT(*) AS entries, COUNT(DISTINCT creator_id) AS creators, COALESCE(SUM(amount), 0) AS amount
     FROM playbill_batch.ledger_entry`,
  );
  return {
    postings: { count: BigInt(posted!.count!), amount: BigInt(posted!.amount!) },
    ledger: {
      entries: BigInt(entered!.entries!),
      creators: BigInt(entered!.creators!),
      amount: BigInt(entered!.amount!),
    },
  };
}
