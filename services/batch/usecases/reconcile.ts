import type { KstDay } from '#domain';
import type { Queryable } from '#lib/database';
import type { Context } from './context.js';

export interface Difference {
  /** Which two records disagree. */
  readonly kind: string;
  readonly detail: string;
  /** The keys to look at. */
  readonly keys: Readonly<Record<string, string | number>>;
}

export interface Reconciliation {
  readonly day: KstDay;
  readonly events: number;
  readonly counted: number;
  readonly excluded: number;
  readonly statistics: { views: number; playTimeSeconds: number; adViews: number; excluded: number };
  readonly postings: { count: number; views: number; adViews: number; amount: number };
  readonly ledger: { entries: number; amount: number };
  readonly differences: readonly Difference[];
}

const DIFFERENCES_MAX = 100;

/**
 * Proves a day from its raw events to the ledger: events → statistics → postings → ledger, by statements of their own.
 * Reads the day's events once, on the primary, where every other record is, in one snapshot.
 */
export async function reconcile(context: Context, day: KstDay): Promise<Reconciliation> {
  const runner = context.database.primary.createQueryRunner();
  try {
    await runner.startTransaction('REPEATABLE READ');
    const raw = await countEvents(runner, day);
    const statistics = await sumStatistics(runner, day);
    const postings = await sumPostings(runner, day);
    const ledger = await sumLedger(runner, day);
    const differences = [
      ...compareTotals(day, { raw, statistics, postings, ledger }),
      ...(await videosThatDiffer(runner, day)),
    ];
    await runner.commitTransaction();
    return {
      day,
      events: raw.events,
      counted: raw.counted,
      excluded: raw.events - raw.counted,
      statistics,
      postings,
      ledger,
      differences,
    };
  } finally {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
  }
}

interface RawTotals {
  readonly events: number;
  readonly counted: number;
  readonly playTime: number;
  readonly adViews: number;
}

async function countEvents(db: Queryable, day: KstDay): Promise<RawTotals> {
  const [row] = await db.query(
    `SELECT COUNT(*) AS events, COUNT(IF(reason = 0, 1, NULL)) AS counted,
       COALESCE(SUM(IF(reason = 0, played_time, 0)), 0) AS play_time,
       COALESCE(SUM(IF(reason = 0, ad_view_count, 0)), 0) AS ad_views
     FROM playbill_watch.watch_event WHERE day = ?`,
    [day],
  );
  return {
    events: Number(row.events),
    counted: Number(row.counted),
    playTime: Number(row.play_time),
    adViews: Number(row.ad_views),
  };
}

async function sumStatistics(db: Queryable, day: KstDay): Promise<Reconciliation['statistics']> {
  const [row] = await db.query(
    `SELECT COALESCE(SUM(views), 0) AS views, COALESCE(SUM(play_time), 0) AS play_time,
       COALESCE(SUM(ad_views), 0) AS ad_views,
       COALESCE(SUM(excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked), 0) AS excluded
     FROM playbill_batch.daily_statistic WHERE day = ?`,
    [day],
  );
  return {
    views: Number(row.views),
    playTimeSeconds: Number(row.play_time),
    adViews: Number(row.ad_views),
    excluded: Number(row.excluded),
  };
}

async function sumPostings(db: Queryable, day: KstDay): Promise<Reconciliation['postings']> {
  const [row] = await db.query(
    `SELECT COUNT(*) AS count, COALESCE(SUM(IF(kind = 'view', to_position - from_position, 0)), 0) AS views,
       COALESCE(SUM(IF(kind = 'ad', to_position - from_position, 0)), 0) AS ad_views, COALESCE(SUM(amount), 0) AS amount
     FROM playbill_batch.posting WHERE event_day = ?`,
    [day],
  );
  return {
    count: Number(row.count),
    views: Number(row.views),
    adViews: Number(row.ad_views),
    amount: Number(row.amount),
  };
}

async function sumLedger(db: Queryable, day: KstDay): Promise<Reconciliation['ledger']> {
  const [row] = await db.query(
    `SELECT COUNT(l.creator_id) AS entries, COALESCE(SUM(l.amount), 0) AS amount
     FROM (SELECT DISTINCT creator_id FROM playbill_batch.posting WHERE event_day = ?) c
     JOIN playbill_batch.ledger_entry l ON l.creator_id = c.creator_id AND l.event_day = ?`,
    [day, day],
  );
  return { entries: Number(row.entries), amount: Number(row.amount) };
}

function compareTotals(
  day: KstDay,
  totals: { raw: RawTotals } & Pick<Reconciliation, 'statistics' | 'postings' | 'ledger'>,
): Difference[] {
  const { raw, statistics, postings, ledger } = totals;
  const checks: [string, number, number][] = [
    ['events/statistics: views', raw.counted, statistics.views],
    ['events/statistics: play time', raw.playTime, statistics.playTimeSeconds],
    ['events/statistics: ad views', raw.adViews, statistics.adViews],
    ['events/statistics: excluded', raw.events - raw.counted, statistics.excluded],
    ['statistics/postings: views', statistics.views, postings.views],
    ['statistics/postings: ad views', statistics.adViews, postings.adViews],
    ['postings/ledger: entries', postings.count, ledger.entries],
    ['postings/ledger: amount', postings.amount, ledger.amount],
  ];
  return checks
    .filter(([, left, right]) => left !== right)
    .map(([kind, left, right]) => ({ kind, detail: `${left} against ${right}`, keys: { day } }));
}

/** The videos whose posted units are not those of their statistics: where to look. */
async function videosThatDiffer(db: Queryable, day: KstDay): Promise<Difference[]> {
  const rows: Record<string, string>[] = await db.query(
    `SELECT s.video_id, s.views, s.ad_views, COALESCE(p.views, 0) AS posted_views, COALESCE(p.ads, 0) AS posted_ads
     FROM playbill_batch.daily_statistic s LEFT JOIN (
       SELECT video_id, SUM(IF(kind = 'view', to_position - from_position, 0)) AS views,
         SUM(IF(kind = 'ad', to_position - from_position, 0)) AS ads
       FROM playbill_batch.posting WHERE event_day = ? GROUP BY video_id) p ON p.video_id = s.video_id
     WHERE s.day = ? AND (s.views <> COALESCE(p.views, 0) OR s.ad_views <> COALESCE(p.ads, 0))
     ORDER BY s.video_id LIMIT ${DIFFERENCES_MAX}`,
    [day, day],
  );
  return rows.map((row) => ({
    kind: 'statistics/postings: video',
    detail: `views ${row.views} posted ${row.posted_views}, ad views ${row.ad_views} posted ${row.posted_ads}`,
    keys: { day, videoId: row.video_id! },
  }));
}
