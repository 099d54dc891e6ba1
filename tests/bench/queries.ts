import type { Connection } from 'mysql2/promise';
import { addDays, type KstDay, kstDayOf, monthOf, weekOf } from '#domain';
import { connect, credentialsOf } from '../../deploy/local/stack/index.js';
import { createPasswords } from '../../services/user/adapters/argon2.js';
import { load } from './load.js';
import { cpuByProcess, printCpu } from './processor-time.js';
import { type Bench, type BenchStack, printTable, seconds } from './support.js';

const VIDEOS = 100_000;
const CREATORS = 20_000;
const DAYS = 365;
/** One in so many videos is watched on a day, another fifth every day: each creator has one of five. */
const ACTIVE_EVERY = 5;
const REQUESTS_PER_SECOND = 200;
const SIGNED_IN = 100;
/** One in so many days is asked for before anything is measured. */
const WARM_UP_PART = 5;
const PASSWORD = 'bench bench bench';

/**
 * Top 5 and bills at the video-info service, 200 requests a second, with a year of statistics and postings on both
 * database replicas. "first": no answer is in the cache; "again": the same questions once more.
 */
export const queries: Bench = {
  name: 'queries',
  async run(stack, options) {
    const days = options.quick ? 35 : DAYS;
    const last = addDays(kstDayOf(Date.now()), -1);
    const list = Array.from({ length: days }, (_, i) => addDays(last, i - days + 1));
    console.log(`seeding ${days} days on both replicas: ${await seedAll(stack, list)} s`);
    const tokens = await signInAll(stack);
    // Code is compiled, as it is a minute after a start; other days are asked for later.
    const warmUpDays = Math.floor(days / WARM_UP_PART);
    for (const question of questionsOf(list.slice(0, warmUpDays), tokens)) await measure(stack, question, 'warm-up');
    const resume = pauseReport(stack);
    const rows: string[][] = [];
    try {
      for (const question of questionsOf(list.slice(warmUpDays), tokens)) {
        for (const round of ['first', 'again']) rows.push(await measure(stack, question, round));
      }
    } finally {
      resume();
    }
    printTable(['question', 'round', 'requests', 'per s', 'failed', 'p50 ms', 'p99 ms', 'max ms'], rows);
  },
};

/** It would make statements of the seeded weeks meanwhile, with both processors. @returns a function that lets it go on */
function pauseReport({ stack }: BenchStack): () => void {
  const pid = stack.pidOf('report');
  if (pid === undefined) return () => undefined;
  process.kill(pid, 'SIGSTOP');
  return () => void process.kill(pid, 'SIGCONT');
}

interface Question {
  readonly name: string;
  readonly requests: number;
  readonly at: (n: number) => { path: string; headers?: Record<string, string> };
}

function questionsOf(days: readonly KstDay[], tokens: readonly string[]): Question[] {
  const weeks = [...new Set(days.map(weekOf))].slice(1, -1);
  const months = [...new Set(days.map(monthOf))].slice(1, -1);
  const bill = (path: string, periods: readonly string[]) => (n: number) => ({
    path: `${path}${periods[Math.floor(n / tokens.length) % periods.length]}`,
    headers: { authorization: `Bearer ${tokens[n % tokens.length]}` },
  });
  const top = (path: string, periods: readonly string[]) => (n: number) => ({
    path: `${path}${periods[n % periods.length]}`,
  });
  const many = (periods: readonly string[]) => Math.min(1_000, tokens.length * periods.length);
  return [
    { name: 'Top 5, daily', requests: 1_000, at: top('/v1/info/top5/daily?date=', days) },
    { name: 'Top 5, weekly', requests: 1_000, at: top('/v1/info/top5/weekly?week=', weeks) },
    { name: 'bill, weekly', requests: many(weeks), at: bill('/v1/info/bill/weekly?week=', weeks) },
    { name: 'bill, monthly', requests: many(months), at: bill('/v1/info/bill/monthly?month=', months) },
  ].filter((question) => question.requests > 0);
}

async function measure(bench: BenchStack, question: Question, round: string): Promise<string[]> {
  const { stack } = bench;
  const [app] = stack.endpoints.apps['video-info'] ?? [];
  if (app === undefined) throw new Error('the stack has no video-info');
  const token = stack.secrets['app-api-token']?.token ?? '';
  const before = cpuByProcess(bench);
  const result = await load({
    port: app.appPort,
    headers: { 'dapr-api-token': token },
    requestsPerSecond: REQUESTS_PER_SECOND,
    requests: question.requests,
    at: question.at,
  });
  const { requests, failed } = result;
  console.log(`\n${question.name}, ${round}`);
  printCpu(bench, { before, items: requests, item: 'request' });
  const numbers = [result.requestsPerSecond.toFixed(0), String(failed)];
  const times = [result.p50Ms, result.p99Ms, result.maxMs].map((ms) => ms.toFixed(1));
  return [question.name, round, String(requests), ...numbers, ...times];
}

/**
 * A year of results by INSERT … SELECT, on each replica by itself: it would take hours through the primary's log, and
 * queries read replicas. @returns how long it took, in seconds
 */
async function seedAll({ stack, db }: BenchStack, days: readonly KstDay[]): Promise<string> {
  const admin = credentialsOf(stack.secrets, 'admin');
  const took = await seconds(() =>
    Promise.all(
      stack.endpoints.replicas.map(async ({ endpoint }) => {
        const replica = await connect(endpoint, admin);
        await seed(replica, days);
        await replica.end();
      }),
    ),
  );
  // Readers look anew.
  await db.query('UPDATE playbill_batch.read_model SET version = version + 1');
  return took.toFixed(0);
}

async function seed(db: Connection, days: readonly KstDay[]): Promise<void> {
  await db.query('USE playbill_batch');
  await db.query('SET SESSION sql_log_bin = 0');
  await db.query('SET SESSION unique_checks = 0, foreign_key_checks = 0');
  await db.query(
    `INSERT INTO playbill_video.video (video_id, creator_id, title, length_seconds, created_at)
     SELECT seq, seq % ${CREATORS} + 1, CONCAT('video ', seq), 600, '2020-01-01' FROM seq_1_to_${VIDEOS}`,
  );
  await db.query(
    `INSERT IGNORE INTO playbill_batch.run (run_id, run_number, job, day, state, requested_by, posted_at, created_at)
     VALUES (UUID(), 1, 'daily', '2020-01-01', 'completed', 'bench', NOW(3), NOW(3))`,
  );
  await db.query('UPDATE playbill_batch.books SET opened_on = ?', [days[0]]);
  for (const [n, day] of days.entries()) await seedDay(db, { day, offset: n % ACTIVE_EVERY });
  await seedTops(db, days);
}

/** The videos `offset`, `offset + 5`, … have views that day, as if settled at once. */
async function seedDay(db: Connection, { day, offset }: { day: KstDay; offset: number }): Promise<void> {
  // Creator = video mod CREATORS + 1, so that a creator's five videos take turns.
  const active = `SELECT video_id, creator_id, 1 + video_id % 97 AS views, 1 + video_id % 13 AS ads
    FROM playbill_video.video WHERE (video_id DIV ${CREATORS} + video_id) % ${ACTIVE_EVERY} = ${offset}`;
  await db.query(
    `INSERT INTO playbill_batch.daily_statistic (day, slice, video_id, creator_slice, creator_id, views, play_time,
       ad_views, excluded_self_view, excluded_repeat, excluded_too_short, excluded_revoked)
     SELECT '${day}', video_id % 64, video_id, creator_id % 64, creator_id, views, views * 60, ads, 0, video_id % 3, 0, 0
     FROM (${active}) a ORDER BY video_id % 64, video_id`,
  );
  await db.query(
    `INSERT INTO playbill_batch.posting (event_day, creator_slice, creator_id, video_id, kind, seq, billed_on,
       from_position, to_position, amount, tariff_version, run_number)
     SELECT '${day}', creator_id % 64, creator_id, video_id, k.kind, DATEDIFF('${day}', '2020-01-01'), '${day}',
       0, IF(k.kind = 'view', views, ads), IF(k.kind = 'view', views, ads * 10), 1, 1
     FROM (${active}) a CROSS JOIN (SELECT 'view' AS kind UNION ALL SELECT 'ad') k
     ORDER BY creator_id % 64, creator_id, video_id, k.kind`,
  );
  await db.query(
    `INSERT INTO playbill_batch.late_exclusion (billed_on, creator_slice, creator_id, event_day, video_id, run_number,
       excluded_self_view, excluded_repeat, excluded_too_short, excluded_revoked)
     SELECT '${addDays(day, 1)}', creator_id % 64, creator_id, '${day}', video_id, 1, 0, 1, 0, 0
     FROM (${active}) a WHERE video_id % 3 > 0 AND video_id % 20 = 0`,
  );
  for (const table of ['statistic_day', 'settlement_day']) {
    const events = table === 'statistic_day' ? ', events' : '';
    await db.query(
      `INSERT INTO playbill_batch.${table} (day, revision, run_id${events}, completed_at)
       VALUES ('${day}', 1, 'bench'${events && ', 1'}, '${addDays(day, 1)}')`,
    );
  }
}

async function seedTops(db: Connection, days: readonly KstDay[]): Promise<void> {
  const mondays = days.filter((day) => new Date(`${day}T00:00:00Z`).getUTCDay() === 1);
  const lists = [...days.map((day) => ['daily', day] as const), ...mondays.map((day) => ['weekly', day] as const)];
  for (const [kind, from] of lists) {
    await db.query(
      `INSERT INTO playbill_batch.top_video (period_kind, period_from, metric, position_number, video_id, amount)
       SELECT '${kind}', '${from}', m.metric, s.seq, s.seq * 7, 1000 - s.seq FROM seq_1_to_5 s
       CROSS JOIN (SELECT 'views' AS metric UNION ALL SELECT 'play_time') m`,
    );
    if (kind === 'daily') continue;
    await db.query(
      `REPLACE INTO playbill_batch.top_period VALUES ('weekly', '${from}', '${addDays(from, 6)}', 1, 1, 1, '${addDays(from, 7)}', NULL)`,
    );
  }
}

/** Accounts of some creators, and their tokens. */
async function signInAll({ stack, db }: BenchStack): Promise<string[]> {
  const passwordHash = await (await createPasswords()).hash(PASSWORD);
  const step = Math.floor(CREATORS / SIGNED_IN);
  const ids = Array.from({ length: SIGNED_IN }, (_, i) => 1 + i * step);
  for (const id of ids) {
    await db.query('INSERT INTO playbill_user.user VALUES (?, ?, ?, 0, NOW(3))', [
      id,
      `bench-${id}@playbill.example`,
      passwordHash,
    ]);
  }
  const tokens: string[] = [];
  for (const id of ids) tokens.push(await signIn(stack, `bench-${id}@playbill.example`));
  return tokens;
}

async function signIn(stack: BenchStack['stack'], email: string): Promise<string> {
  const port = stack.endpoints.apps.user?.[0]?.sidecarHttpPort;
  const response = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/user/method/v1/user/login`, {
    method: 'POST',
    headers: { 'dapr-api-token': stack.endpoints.daprApiToken, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  const { accessToken } = (await response.json()) as { accessToken?: string };
  if (accessToken === undefined) throw new Error(`${email} could not sign in: ${response.status}`);
  return accessToken;
}
