import type { Connection } from 'mysql2/promise';
import request from 'supertest';
import { addDays, type KstDay, kstDayOf, monthOf, weekOf } from '#domain';
import { Sidecar } from '#lib/dapr';
import { BehindError, type ReadChoice, ReaderPool } from '#lib/database';
import { createLogger } from '#lib/logging';
import { readVersion } from '#lib/results';
import { credentialsOf } from '../../deploy/local/stack/index.js';
import { StateCache } from '../../services/video-info/adapters/dapr/state-cache.js';
import { addInfoRoutes, createInfoApp } from '../../services/video-info/app.js';
import { type Cache, VersionedReads } from '../../services/video-info/usecases/versioned-reads.js';
import { createTestIssuer, type TestIssuer } from '../support/identity.js';
import { forgetEverything, runDay } from './support/batch.js';
import { insertEvent, insertVideo } from './support/events.js';
import { callGateway, logIn, signUp } from './support/gateway.js';
import {
  adminConnection,
  databaseConnection,
  eventually,
  generate,
  replicaConnection,
  stack,
} from './support/stack.js';

const TODAY = kstDayOf(Date.now());
const YESTERDAY = addDays(TODAY, -1);
const BEFORE = addDays(TODAY, -2);
const LAG_MAX_MS = 1_500;
const APP_TOKEN = 'x'.repeat(16);

let db: Connection;
let issuer: TestIssuer;
const pools: ReaderPool[] = [];

beforeAll(async () => {
  db = await adminConnection();
  issuer = await createTestIssuer();
  await forgetEverything();
  for (const day of [BEFORE, YESTERDAY]) await generate({ day, events: 20_000, videos: 300, creators: 20, seed: 3 });
  for (const day of [BEFORE, YESTERDAY]) await runDay(day);
  await eventually(async () => ((await pendingTops()) === 0 ? true : undefined), {
    what: 'the lists of weeks and months',
    deadlineMs: 30_000,
  });
  await stack().waitHealthy();
}, 120_000);

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await db.end();
});

// biome-ignore lint/suspicious/noExplicitAny: rows have the shape of the statement
async function select(sql: string, values: unknown[] = []): Promise<any[]> {
  const [rows] = await db.query(sql, values);
  return rows as never;
}

async function pendingTops(): Promise<number> {
  const [row] = await select('SELECT COUNT(*) AS n FROM playbill_batch.top_period WHERE built < wanted');
  return Number(row.n);
}

function openPool(onChoice: (server: string, choice: ReadChoice) => void = () => undefined): ReaderPool {
  const { endpoints, secrets } = stack();
  const pool = ReaderPool.create({
    primary: endpoints.primary,
    replicas: endpoints.replicas.map(({ endpoint }) => endpoint),
    credentials: credentialsOf(secrets, 'video-info'),
    poolSize: 4,
    preferred: 0,
    lagMaxMs: LAG_MAX_MS,
    deadlineMs: 1_000,
    onChoice,
  });
  pools.push(pool);
  return pool;
}

/** No cache at all: what is answered was read. */
const noCache: Cache = {
  latest: async () => {
    throw new Error('no cache');
  },
  read: async () => undefined,
  write: async () => undefined,
  raiseLatest: async () => undefined,
  resetLatest: async () => undefined,
};

/** The video-info service's app in this process, on the stack's databases; it asks nobody to renew today's lists. */
function infoApp(options: { billPageVideos?: number; now?: () => number } = {}) {
  const logger = createLogger({ service: 'video-info', replica: 'test', level: 'error' });
  const pool = openPool();
  const app = createInfoApp({
    logger,
    appApiToken: APP_TOKEN,
    ready: async () => void (await pool.read(readVersion)),
    lags: () => pool.lags(),
  });
  addInfoRoutes(app, {
    reads: new VersionedReads({ pool, cache: noCache }),
    refreshRunning: async () => null,
    now: options.now ?? Date.now,
    verifier: issuer.verifier,
    billPageVideos: options.billPageVideos ?? 100,
    logger,
    subscriptions: [],
  });
  return app.app;
}

let app: ReturnType<typeof infoApp>;
beforeAll(() => {
  app = infoApp();
});

async function get(path: string, userId?: string, on = app) {
  const token = userId === undefined ? undefined : await issuer.userToken({ userId });
  const call = request(on).get(path).set('dapr-api-token', APP_TOKEN);
  return token === undefined ? call : call.set('authorization', `Bearer ${token}`);
}

/** The first five by statements that share nothing with the product's. */
async function topByHand(days: readonly KstDay[], metric: 'views' | 'play_time') {
  const sums = new Map<number, number>();
  const rows = await select(
    `SELECT video_id, ${metric === 'views' ? '1' : 'played_time'} AS amount FROM playbill_watch.watch_event
     WHERE reason = 0 AND day IN (?)`,
    [days],
  );
  for (const row of rows) sums.set(Number(row.video_id), (sums.get(Number(row.video_id)) ?? 0) + Number(row.amount));
  return [...sums].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 5);
}

describe('the Top 5', () => {
  test('of a day is what the events say, final, by views and by play time', async () => {
    const { status, body } = await get(`/v1/info/top5/daily?date=${YESTERDAY}`);
    expect([status, body.final, body.period]).toEqual([200, true, { kind: 'daily', from: YESTERDAY, to: YESTERDAY }]);
    const pairs = (list: Record<string, unknown>[], name: string) => list.map((v) => [Number(v.videoId), v[name]]);
    expect(pairs(body.byViews, 'views')).toEqual(await topByHand([YESTERDAY], 'views'));
    expect(pairs(body.byPlayTime, 'playTimeSeconds')).toEqual(await topByHand([YESTERDAY], 'play_time'));
    expect(body.byViews.map((video: { rank: number }) => video.rank)).toEqual([1, 2, 3, 4, 5]);
    expect(body.byViews[0].title).not.toBe('');
  });

  test.each([
    ['weekly', `week=${weekOf(YESTERDAY)}`, (day: KstDay) => weekOf(day) === weekOf(YESTERDAY)],
    ['monthly', `month=${monthOf(YESTERDAY)}`, (day: KstDay) => monthOf(day) === monthOf(YESTERDAY)],
  ] as const)('%s covers the days of the period that are complete', async (kind, query, isIn) => {
    const { body } = await get(`/v1/info/top5/${kind}?${query}`);
    const days = [BEFORE, YESTERDAY].filter(isIn);
    const pairs = body.byViews.map((video: { videoId: string; views: number }) => [Number(video.videoId), video.views]);
    expect(pairs).toEqual(await topByHand(days, 'views'));
  });

  test('is that of the latest final day unless one is named', async () => {
    expect((await get('/v1/info/top5/daily')).body.period.from).toBe(YESTERDAY);
  });

  test('of a period before the books is empty and final', async () => {
    const { body } = await get('/v1/info/top5/weekly?week=2020-W10');
    expect([body.final, body.byViews, body.byPlayTime]).toEqual([true, [], []]);
  });

  test.each([
    ['/v1/info/top5/daily?date=2026-02-30', 'date'],
    ['/v1/info/top5/weekly?week=2026-W54', 'week'],
    ['/v1/info/top5/monthly?month=2026-13', 'month'],
    [`/v1/info/top5/daily?date=${addDays(TODAY, 1)}`, 'date'],
  ])('%s is refused', async (path, field) => {
    const { status, body } = await get(path);
    expect([status, body.code, body.errors[0].field]).toEqual([422, 'INVALID', field]);
  });

  test("of today is the running one, with the instant that it reaches, and never passes for a day's result", async () => {
    await insertVideo(db, { videoId: 900_001, creatorId: 5, lengthSeconds: 600 });
    const watchedAtMs = Date.now() - 1_000;
    if (kstDayOf(watchedAtMs) !== TODAY) return;
    const event = {
      videoId: 900_001,
      viewer: 'u:77',
      watchedAtMs,
      playedSeconds: 33,
      adViews: 0,
      reason: 0,
      today: TODAY,
    };
    await insertEvent(db, { ...event, eventId: '01999999-0000-7000-8000-000000000001' });
    const body = await eventually(
      async () => {
        const answer = await callGateway(`/v1/info/top5/daily?date=${TODAY}`);
        return answer.body?.byViews?.length > 0 ? answer.body : undefined;
      },
      { what: "today's running list", deadlineMs: 40_000, intervalMs: 500 },
    );
    expect(body.final).toBe(false);
    expect(Date.parse(body.asOf)).toBeGreaterThanOrEqual(watchedAtMs);
    expect(body.byViews[0]).toMatchObject({ rank: 1, videoId: '900001', views: 1 });
    expect(body.byPlayTime[0]).toMatchObject({ playTimeSeconds: 33 });
  }, 60_000);
});

describe('a bill', () => {
  const CREATOR = '7';

  test('has, per video and in total, what was posted', async () => {
    const { body } = await get(`/v1/info/bill/daily?date=${YESTERDAY}`, CREATOR);
    const rows = await select(
      `SELECT video_id, kind, SUM(amount) AS won, SUM(to_position - from_position) AS units FROM playbill_batch.posting
       WHERE creator_id = ? AND event_day = ? GROUP BY video_id, kind`,
      [CREATOR, YESTERDAY],
    );
    const of = (videoId: string, kind: string) =>
      rows.find((row) => String(row.video_id) === videoId && row.kind === kind) ?? { won: 0, units: 0 };
    expect(body.videos.length).toBeGreaterThan(3);
    for (const video of body.videos) {
      const [view, ad] = [of(video.videoId, 'view'), of(video.videoId, 'ad')];
      expect([video.views, video.adViews, video.videoProfit, video.adProfit, video.total].map(Number)).toEqual(
        [view.units, ad.units, view.won, ad.won, Number(view.won) + Number(ad.won)].map(Number),
      );
    }
    const total = rows.reduce((sum, row) => sum + Number(row.won), 0);
    expect([body.totals.total, body.currency, body.final]).toEqual([total, 'KRW', true]);
  });

  test('counts excluded events by their reasons', async () => {
    const { body } = await get(`/v1/info/bill/daily?date=${YESTERDAY}`, CREATOR);
    const rows = await select(
      `SELECT e.video_id, e.reason, COUNT(*) AS n FROM playbill_watch.watch_event e
       JOIN playbill_video.video v ON v.video_id = e.video_id
       WHERE v.creator_id = ? AND e.day = ? AND e.reason > 0 GROUP BY e.video_id, e.reason`,
      [CREATOR, YESTERDAY],
    );
    const names = ['COUNTED', 'SELF_VIEW', 'REPEAT', 'TOO_SHORT', 'REVOKED'];
    const expected = rows.map((row) => `${row.video_id} ${names[row.reason]} ${row.n}`).sort();
    const actual = body.videos.flatMap((video: { videoId: string; excluded: Record<string, number> }) =>
      Object.entries(video.excluded).map(([reason, count]) => `${video.videoId} ${reason} ${count}`),
    );
    expect(actual.sort()).toEqual(expected);
  });

  test('of a period is the sum of its days', async () => {
    const { body } = await get(`/v1/info/bill/monthly?month=${monthOf(YESTERDAY)}`, CREATOR);
    const days = [BEFORE, YESTERDAY].filter((day) => monthOf(day) === monthOf(YESTERDAY));
    const totals = await Promise.all(
      days.map(async (day) => (await get(`/v1/info/bill/daily?date=${day}`, CREATOR)).body.totals),
    );
    expect(body.totals.total).toBe(totals.reduce((sum, of) => sum + of.total, 0));
    expect(body.totals.views).toBe(totals.reduce((sum, of) => sum + of.views, 0));
  });

  test('comes in pages that together are the whole', async () => {
    const small = infoApp({ billPageVideos: 3 });
    const whole = (await get(`/v1/info/bill/daily?date=${YESTERDAY}`, CREATOR)).body;
    const ids: string[] = [];
    let cursor = '';
    for (;;) {
      const { body } = await get(`/v1/info/bill/daily?date=${YESTERDAY}${cursor}`, CREATOR, small);
      expect(body.totals).toEqual(whole.totals);
      ids.push(...body.videos.map((video: { videoId: string }) => video.videoId));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(ids).toEqual(whole.videos.map((video: { videoId: string }) => video.videoId));
    const wrong = await get(`/v1/info/bill/daily?cursor=x`, CREATOR);
    expect([wrong.status, wrong.body.code]).toEqual([422, 'INVALID']);
  });

  test('once made stays as it is: a late event is an adjustment on the bill of the day of its posting', async () => {
    const before = (await get(`/v1/info/bill/daily?date=${BEFORE}`, CREATOR)).body;
    const [video] = before.videos;
    const watchedAtMs = Date.parse(`${BEFORE}T12:00:00+09:00`);
    await insertEvent(db, {
      eventId: '01999999-0000-7000-8000-000000000002',
      videoId: Number(video.videoId),
      viewer: 'u:123456',
      watchedAtMs,
      playedSeconds: 5,
      adViews: 0,
      reason: 0,
      today: TODAY,
    });
    await runDay(BEFORE);
    await stack().waitHealthy();
    const after = (await get(`/v1/info/bill/daily?date=${BEFORE}`, CREATOR)).body;
    expect([after.totals, after.videos]).toEqual([before.totals, before.videos]);
    const today = (await get(`/v1/info/bill/daily?date=${TODAY}`, CREATOR)).body;
    expect(today.totals).toMatchObject({ videoProfit: 0, adjustments: 1, total: 1 });
    expect([today.final, today.videos[0].videoId]).toEqual([false, video.videoId]);
    const explained = (await get(`/v1/info/bill/explain?date=${TODAY}&videoId=${video.videoId}`, CREATOR)).body;
    expect(explained.postings).toEqual([
      expect.objectContaining({ kind: 'view', day: BEFORE, billedOn: TODAY, cause: 'LATE', amount: 1 }),
    ]);
  }, 60_000);

  test('is explained by its postings, down to slices and prices', async () => {
    const { body } = await get(`/v1/info/bill/daily?date=${YESTERDAY}`, CREATOR);
    const video = body.videos.find((line: { adProfit: number }) => line.adProfit > 0);
    const { postings } = (await get(`/v1/info/bill/explain?date=${YESTERDAY}&videoId=${video.videoId}`, CREATOR)).body;
    const sum = (kind: string) =>
      postings
        .filter((p: { kind: string }) => p.kind === kind)
        .reduce((all: number, p: { amount: number }) => all + p.amount, 0);
    expect([sum('view'), sum('ad')]).toEqual([video.videoProfit, video.adProfit]);
    for (const posting of postings) {
      expect(posting).toMatchObject({ rounding: 'line', tariffVersion: 1, cause: 'DAY' });
      const exact = posting.slices.reduce((all: number, slice: { amount: number }) => all + slice.amount, 0);
      expect(Math.floor(exact)).toBe(posting.amount);
    }
  });

  test.each([
    ['/v1/info/bill/daily', undefined, 401],
    ['/v1/info/bill/weekly', undefined, 401],
    ['/v1/info/bill/monthly', undefined, 401],
    ['/v1/info/balance', undefined, 401],
    ['/v1/info/ledger', undefined, 401],
    [`/v1/info/bill/explain?date=${YESTERDAY}&videoId=1`, undefined, 401],
    [`/v1/info/bill/explain?date=${YESTERDAY}&videoId=1`, '999999', 403],
    [`/v1/info/bill/explain?date=${YESTERDAY}&videoId=123456789`, '7', 404],
    ['/v1/info/bill/explain?date=x&videoId=1', '7', 422],
    ['/v1/info/bill/weekly?week=x', '7', 422],
    ['/v1/info/ledger?cursor=x', '7', 422],
    ['/v1/info/nothing', '7', 404],
  ] as const)('%s for %s: %i', async (path, userId, status) => {
    const answer = await get(path, userId);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });
});

describe('the ledger', () => {
  test("is the creator's own, and its sum is the balance", async () => {
    const amounts: number[] = [];
    let cursor = '';
    for (;;) {
      const { body } = await get(`/v1/info/ledger${cursor}`, '7');
      amounts.push(...body.items.map((entry: { amount: number }) => entry.amount));
      expect(body.items.every((entry: { credit: string }) => entry.credit === 'creator:7')).toBe(true);
      if (body.nextCursor === null) break;
      cursor = `?cursor=${body.nextCursor}`;
    }
    const { body } = await get('/v1/info/balance', '7');
    expect(body).toMatchObject({
      currency: 'KRW',
      balance: amounts.reduce((sum, amount) => sum + amount, 0),
      entries: amounts.length,
    });
    const [row] = await select('SELECT COUNT(*) AS n FROM playbill_batch.ledger_entry WHERE creator_id = 7');
    expect(amounts).toHaveLength(Number(row.n));
  });
});

describe('the account of video-info', () => {
  test.each([
    'UPDATE playbill_batch.read_model SET version = version',
    'INSERT INTO playbill_batch.top_video VALUES (1)',
    'DELETE FROM playbill_batch.posting',
    'CREATE TABLE playbill_batch.mine (id INT)',
    'SELECT * FROM playbill_watch.watch_event',
    'SELECT * FROM playbill_user.user',
  ])('may not: %s', async (sql) => {
    const connection = await databaseConnection('video-info');
    try {
      await expect(connection.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/DENIED/) });
    } finally {
      await connection.end();
    }
  });
});

describe('the cache in the state component', () => {
  const cacheAs = (latestKey: string) => {
    const { apps, daprApiToken } = stack().endpoints;
    const httpPort = apps['video-info']?.[0]?.sidecarHttpPort ?? 0;
    return new StateCache(new Sidecar({ httpPort, apiToken: daprApiToken }), 60, latestKey);
  };

  test('keeps the highest version, whoever raises it at the same time', async () => {
    const key = `test-${Date.now()}`;
    const caches = Array.from({ length: 6 }, () => cacheAs(key));
    expect(await caches[0]!.latest()).toBeUndefined();
    await Promise.all(caches.map((cache, i) => cache.raiseLatest(BigInt(5 + ((i * 5) % 6)))));
    await caches[0]!.raiseLatest(3n);
    expect(await caches[1]!.latest()).toBe(10n);
  });

  test('gives back what was written', async () => {
    const cache = cacheAs(`test-${Date.now()}`);
    const key = `entry-${Date.now()}`;
    await cache.write(key, { a: '내용', n: [1, 2] });
    expect(await cache.read(key)).toEqual({ a: '내용', n: [1, 2] });
  });

  test('answers a question that was asked before', async () => {
    const hits = async () => {
      const counts = await Promise.all(
        (stack().endpoints.apps['video-info'] ?? []).map(async ({ appPort }) => {
          const text = await (await fetch(`http://127.0.0.1:${appPort}/metrics`)).text();
          return Number(/playbill_cache_lookups_total\{result="hit"\} (\d+)/.exec(text)?.[1] ?? 0);
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const before = await hits();
    const answers = [];
    for (let i = 0; i < 6; i += 1) answers.push(await callGateway(`/v1/info/top5/daily?date=${YESTERDAY}`));
    for (const answer of answers) expect([answer.status, answer.body]).toEqual([200, answers[0]!.body]);
    expect(await hits()).toBeGreaterThanOrEqual(before + 4);
  });
});

describe('reads go', () => {
  const choices: string[] = [];
  let pool: ReaderPool;

  beforeAll(async () => {
    pool = openPool((server, choice) => choices.push(`${server} ${choice}`));
    await measured();
  }, 30_000);

  afterAll(async () => {
    for (const number of [1, 2] as const) await setApplying(number, true);
    await stack().waitHealthy();
  }, 90_000);

  async function measured(): Promise<void> {
    await eventually(
      async () => (pool.lags().every(({ lagMs }) => lagMs !== null && lagMs < LAG_MAX_MS) ? true : undefined),
      { what: 'the lag of both replicas', deadlineMs: 30_000 },
    );
  }

  /** Reads for a while; none may fail, and none may come from a server that is further behind than allowed. */
  async function readFor(ms: number): Promise<Set<string>> {
    choices.length = 0;
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      await pool.read(async (reader, source) => {
        if (source.choice !== 'primary') expect(source.lagMs).toBeLessThanOrEqual(LAG_MAX_MS);
        return readVersion(reader);
      });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return new Set(choices);
  }

  /**
   * A replica that does not apply receives all and executes it an hour later: stopped threads would be started again by
   * the supervisor.
   */
  async function setApplying(number: 1 | 2, isApplying: boolean): Promise<void> {
    const replica = await replicaConnection(number);
    await replica.query('STOP SLAVE');
    await replica.query(`CHANGE MASTER TO MASTER_DELAY = ${isApplying ? 0 : 3_600}`);
    await replica.query('START SLAVE');
    await replica.end();
  }

  test('to the preferred replica while it is well', async () => {
    expect(await readFor(500)).toEqual(new Set(['replica-1 preferred']));
  });

  test('to the other one when the preferred one does not apply any more, and back when it does', async () => {
    await setApplying(1, false);
    await readFor(LAG_MAX_MS + 1_500);
    expect(await readFor(500)).toEqual(new Set(['replica-2 other-replica']));
    await setApplying(1, true);
    await measured();
    expect(await readFor(300)).toEqual(new Set(['replica-1 preferred']));
  }, 60_000);

  test('to the primary when neither applies', async () => {
    await Promise.all([setApplying(1, false), setApplying(2, false)]);
    await readFor(LAG_MAX_MS + 1_500);
    expect(await readFor(500)).toEqual(new Set(['primary primary']));
    await Promise.all([setApplying(1, true), setApplying(2, true)]);
    await measured();
  }, 60_000);

  test('on without a failure when one replica is killed, then the other one too', async () => {
    const killing = (async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await stack().setAutoRestart('mariadb-replica-1', false);
      await stack().kill('mariadb-replica-1');
      await new Promise((resolve) => setTimeout(resolve, 700));
      await stack().setAutoRestart('mariadb-replica-2', false);
      await stack().kill('mariadb-replica-2');
    })();
    const seen = await readFor(3_000);
    await killing;
    expect(seen).toContain('replica-2 other-replica');
    expect(await readFor(300)).toEqual(new Set(['primary primary']));
    const answer = await callGateway(`/v1/info/top5/daily?date=${YESTERDAY}`);
    expect([answer.status, answer.body.final]).toEqual([200, true]);
    for (const replica of ['mariadb-replica-1', 'mariadb-replica-2']) await stack().setAutoRestart(replica, true);
    await stack().waitHealthy();
    await measured();
    expect(await readFor(300)).toEqual(new Set(['replica-1 preferred']));
  }, 120_000);

  test('past a replica that hangs instead of answering', async () => {
    await stack().pause('mariadb-replica-1');
    try {
      expect(await readFor(4_000)).toContain('replica-2 other-replica');
    } finally {
      await stack().resume('mariadb-replica-1');
    }
    await measured();
  }, 60_000);

  test('past a server that lacks what was answered before', async () => {
    const servers: string[] = [];
    await pool.read(async (_reader, source) => {
      servers.push(source.server);
      if (source.server !== 'primary') throw new BehindError('too old');
    });
    expect(servers).toEqual(['replica-1', 'replica-2', 'primary']);
  });
});

describe('when a replica of the service is killed, app and sidecar,', () => {
  const READERS = 6;
  const READS_AFTERWARDS = 50;
  const VICTIM = 'video-info-1';
  const CREATOR = '1';
  let token = '';

  /** A creator of generated videos signs in. */
  beforeAll(async () => {
    const { email, password, userId } = await signUp();
    await db.query('UPDATE playbill_user.user SET user_id = ? WHERE user_id = ?', [CREATOR, userId]);
    token = (await logIn({ email, password })).accessToken;
  });

  afterAll(() => db.query('DELETE FROM playbill_user.user WHERE user_id = ?', [CREATOR]));

  const PATHS = [`/v1/info/top5/daily?date=${YESTERDAY}`, `/v1/info/bill/daily?date=${YESTERDAY}`];

  async function readThrough(path: string) {
    const sentMs = performance.now();
    const { status, body } = await callGateway(path, { token });
    const { asOf: _asOf, ...result } = body;
    return { path, sentMs, status, result };
  }

  test('no other call fails, and the answers stay the same', async () => {
    const before = await Promise.all(PATHS.map(readThrough));
    expect(before.map(({ status }) => status)).toEqual([200, 200]);
    expect(Number(before[1]!.result.totals.total)).toBeGreaterThan(0);
    const reads: Awaited<ReturnType<typeof readThrough>>[] = [];
    let isOver = false;
    const readers = Array.from({ length: READERS }, async (_, index) => {
      for (let i = index; !isOver; i += 1) reads.push(await readThrough(PATHS[i % PATHS.length]!));
    });
    let killedMs = 0;
    try {
      await eventually(async () => reads.length > READERS || undefined, { what: 'reads', deadlineMs: 30_000 });
      await Promise.all([VICTIM, `${VICTIM}-daprd`].map((name) => stack().kill(name)));
      killedMs = performance.now();
      await stack().waitHealthy();
      await eventually(
        async () => reads.filter(({ sentMs }) => sentMs > killedMs).length > READS_AFTERWARDS || undefined,
        {
          what: 'reads afterwards',
          deadlineMs: 30_000,
        },
      );
    } finally {
      isOver = true;
      await Promise.all(readers);
    }
    const statuses = reads.map(({ status, sentMs }) => ({ status, wasUnderWay: sentMs <= killedMs }));
    const failed = statuses.filter(({ status }) => status !== 200);
    expect(failed.filter(({ wasUnderWay }) => !wasUnderWay)).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(READERS);
    for (const { path, status, result } of reads) {
      if (status === 200) expect(result).toEqual(before[PATHS.indexOf(path)]!.result);
    }
  }, 120_000);
});
