import type { Pool } from 'mysql2/promise';
import { amountOf, type Kind, TARIFF_1 } from '../stack/support/oracle.js';
import { type SentEvent, VIEWER_PREFIXES } from './traffic.js';

/**
 * What must hold after any fault, judged from the outside: by the sender's own record, and by sums and chains that are
 * computed here from raw rows, with nothing of the product's own code.
 */
export interface Verdict {
  readonly storedOnce: number;
  readonly refused: number;
  /** Sent without ever getting an answer: stored at most once. */
  readonly unanswered: number;
  readonly problems: readonly string[];
}

const REASONS = ['COUNTED', 'SELF_VIEW', 'REPEAT', 'TOO_SHORT', 'REVOKED'];
const PROBLEMS_MAX = 20;

/** Checks the events of one sender. Reads the rows of their days once. */
export async function judgeEvents(db: Pool, events: readonly SentEvent[]): Promise<Verdict> {
  const days = [...new Set(events.map(({ day }) => day))];
  const stored = new Map<string, number[]>();
  for (const [eventId, reason] of await rows<[string, number]>(
    db,
    'SELECT LOWER(HEX(event_id)), reason FROM playbill_watch.watch_event WHERE day IN (?)',
    [days],
  )) {
    stored.set(eventId, [...(stored.get(eventId) ?? []), Number(reason)]);
  }
  const problems: string[] = [];
  const counts = { storedOnce: 0, refused: 0, unanswered: 0 };
  for (const event of events) {
    const found = stored.get(event.eventId.replaceAll('-', '')) ?? [];
    const problem = problemOf(event, found);
    if (problem !== undefined) problems.push(`event ${event.eventId}: ${problem}`);
    if (event.outcome === undefined) counts.unanswered += 1;
    else if (event.outcome.kind === 'refused') counts.refused += 1;
    else counts.storedOnce += 1;
  }
  return { ...counts, problems: problems.slice(0, PROBLEMS_MAX) };
}

function problemOf({ outcome }: SentEvent, found: readonly number[]): string | undefined {
  if (found.length > 1) return `stored ${found.length} times`;
  if (outcome?.kind === 'refused' && found.length > 0) return 'refused, but stored';
  if (outcome?.kind !== 'stored') return undefined;
  if (found.length === 0) return 'answered 2xx, but not stored';
  const reason = REASONS[found[0]!];
  return reason === outcome.reason ? undefined : `answered ${outcome.reason}, but stored as ${reason}`;
}

/** Checks a day's statistics and postings, and the chains, ledger and balances of everything. */
export async function judgeBooks(db: Pool, day: string): Promise<string[]> {
  const problems = [
    ...(await judgeStatistics(db, day)),
    ...(await judgePostings(db, day)),
    ...(await judgeChains(db)),
    ...(await judgeLedger(db)),
  ];
  return problems.slice(0, PROBLEMS_MAX);
}

async function judgeStatistics(db: Pool, day: string): Promise<string[]> {
  const byHand = new Map<string, number[]>();
  const raw = await rows<[string, number, number, number]>(
    db,
    'SELECT video_id, played_time, ad_view_count, reason FROM playbill_watch.watch_event WHERE day = ?',
    [day],
  );
  for (const [videoId, played, ads, reason] of raw) {
    const sums = byHand.get(String(videoId)) ?? [0, 0, 0, 0];
    if (Number(reason) === 0) {
      sums[0]! += 1;
      sums[1]! += Number(played);
      sums[2]! += Number(ads);
    } else sums[3]! += 1;
    byHand.set(String(videoId), sums);
  }
  const problems: string[] = [];
  const stored = await rows<[string, ...string[]]>(
    db,
    `SELECT video_id, views, play_time, ad_views,
       excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked
     FROM playbill_batch.daily_statistic WHERE day = ?`,
    [day],
  );
  for (const [videoId, ...sums] of stored) {
    const expected = byHand.get(String(videoId))?.join(' ');
    if (expected !== sums.map(Number).join(' ')) {
      problems.push(`statistics of video ${videoId}: ${sums.join(' ')} stored, ${expected} counted`);
    }
    byHand.delete(String(videoId));
  }
  for (const videoId of byHand.keys()) problems.push(`statistics of video ${videoId} are missing`);
  return problems;
}

/** Units posted for the day, by video and kind, are those of its counted events. */
async function judgePostings(db: Pool, day: string): Promise<string[]> {
  const differing = await rows<[string, string, string, string, string]>(
    db,
    `SELECT video_id, SUM(views), SUM(posted_views), SUM(ads), SUM(posted_ads) FROM (
       SELECT video_id, COUNT(*) AS views, SUM(ad_view_count) AS ads, 0 AS posted_views, 0 AS posted_ads
       FROM playbill_watch.watch_event WHERE day = ? AND reason = 0 GROUP BY video_id
       UNION ALL
       SELECT video_id, 0, 0, SUM(IF(kind = 'view', to_position - from_position, 0)),
         SUM(IF(kind = 'ad', to_position - from_position, 0))
       FROM playbill_batch.posting WHERE event_day = ? GROUP BY video_id) u
     GROUP BY video_id HAVING SUM(views) <> SUM(posted_views) OR SUM(ads) <> SUM(posted_ads)`,
    [day, day],
  );
  return differing.map(
    ([videoId, views, postedViews, ads, postedAds]) =>
      `video ${videoId}: ${views} views and ${ads} ad views counted, ${postedViews} and ${postedAds} posted`,
  );
}

/** Each posting starts where the one before ended, the first at the opening position, and costs what the tariff says. */
async function judgeChains(db: Pool): Promise<string[]> {
  const ends = new Map<string, number>();
  for (const [videoId, views, ads] of await rows<[string, string, string]>(
    db,
    'SELECT video_id, opening_views, opening_ads FROM playbill_batch.position',
  )) {
    ends.set(`${videoId} view`, Number(views));
    ends.set(`${videoId} ad`, Number(ads));
  }
  const problems: string[] = [];
  for (const [videoId, kind, seq, from, to, amount] of await rows<[string, Kind, string, string, string, string]>(
    db,
    `SELECT video_id, kind, seq, from_position, to_position, amount FROM playbill_batch.posting
     ORDER BY video_id, kind, seq`,
  )) {
    const key = `${videoId} ${kind}`;
    if (ends.get(key) !== Number(from)) problems.push(`posting ${key} ${seq} starts at ${from}, not ${ends.get(key)}`);
    const expected = amountOf(TARIFF_1, kind, Number(from), Number(to));
    if (expected !== Number(amount)) problems.push(`posting ${key} ${seq} is ${amount} won, not ${expected}`);
    ends.set(key, Number(to));
  }
  for (const [videoId, views, ads] of await rows<[string, string, string]>(
    db,
    'SELECT video_id, views, ads FROM playbill_batch.position',
  )) {
    if (ends.get(`${videoId} view`) !== Number(views)) problems.push(`position of ${videoId}: ${views} views`);
    if (ends.get(`${videoId} ad`) !== Number(ads)) problems.push(`position of ${videoId}: ${ads} ad views`);
  }
  return problems;
}

/** The ledger has one entry a posting, of its amount, numbered without a gap along each creator. */
async function judgeLedger(db: Pool): Promise<string[]> {
  const [unmatched] = await rows<[string]>(
    db,
    `SELECT COUNT(*) FROM playbill_batch.posting p LEFT JOIN playbill_batch.ledger_entry l
       ON l.creator_id = p.creator_id AND l.seq = p.ledger_seq AND l.event_day = p.event_day
       AND l.video_id = p.video_id AND l.kind = p.kind AND l.posting_seq = p.seq AND l.amount = p.amount
     WHERE l.creator_id IS NULL`,
  );
  const [[entries, postings] = ['0', '0']] = await rows<[string, string]>(
    db,
    `SELECT (SELECT COUNT(*) FROM playbill_batch.ledger_entry), (SELECT COUNT(*) FROM playbill_batch.posting)`,
  );
  const gaps = await rows<[string]>(
    db,
    'SELECT creator_id FROM playbill_batch.ledger_entry GROUP BY creator_id HAVING COUNT(*) <> MAX(seq)',
  );
  return [
    ...(Number(unmatched?.[0]) === 0 ? [] : [`${unmatched?.[0]} postings have no ledger entry of their own`]),
    ...(entries === postings ? [] : [`${entries} ledger entries of ${postings} postings`]),
    ...gaps.map(([creatorId]) => `the ledger of creator ${creatorId} has a gap`),
  ];
}

/**
 * Per-ad counters are the sums of the spreads of traffic's stored events; generated events come another way.
 * @param videoAds how many ads each video has
 */
export async function judgeAdCounters(db: Pool, videoAds: ReadonlyMap<string, number>): Promise<string[]> {
  const expected = new Map<string, number>();
  const shown = await rows<[string, number, string]>(
    db,
    `SELECT video_id, ad_view_count, COUNT(*) FROM playbill_watch.watch_event
     WHERE ad_view_count > 0 AND (viewer LIKE ? OR viewer LIKE ?) GROUP BY video_id, ad_view_count`,
    Object.values(VIEWER_PREFIXES).map((prefix) => `${prefix}%`),
  );
  for (const [videoId, adViews, events] of shown) {
    const ads = videoAds.get(String(videoId)) ?? 0;
    for (let priority = 1; priority <= ads; priority++) {
      const each = Math.floor(Number(adViews) / ads) + (priority <= Number(adViews) % ads ? 1 : 0);
      const key = `${videoId} ${priority}`;
      expected.set(key, (expected.get(key) ?? 0) + each * Number(events));
    }
  }
  const problems: string[] = [];
  const counters = new Map<string, number>();
  for (const [videoId, shownAds, times] of await rows<[string, number, string]>(
    db,
    'SELECT video_id, shown, counted + excluded FROM playbill_ad.shown_ads',
  )) {
    for (let priority = 1; priority <= shownAds; priority++) {
      const key = `${videoId} ${priority}`;
      counters.set(key, (counters.get(key) ?? 0) + Number(times));
    }
  }
  for (const [key, total] of counters) {
    if ((expected.get(key) ?? 0) !== total) {
      problems.push(`ad ${key}: ${total} counted, ${expected.get(key) ?? 0} shown`);
    }
    expected.delete(key);
  }
  for (const [key, total] of expected) if (total > 0) problems.push(`ad ${key}: none counted, ${total} shown`);
  return problems.slice(0, PROBLEMS_MAX);
}

async function rows<T extends unknown[]>(db: Pool, sql: string, values: unknown[] = []): Promise<T[]> {
  const [found] = await db.query({ sql, values, rowsAsArray: true });
  return found as unknown as T[];
}
