import type { Connection } from 'mysql2/promise';
import {
  batchClient,
  callBatch,
  digests,
  forgetEverything,
  forgetResults,
  requestDay,
  runDay,
  statisticsByHand,
  statisticsStored,
  tick,
  waitForRun,
} from './support/batch.js';
import { adminConnection, databaseConnection, eventually, generate } from './support/stack.js';

const DAY = '2026-11-01';
const NEXT = '2026-11-02';
const EVENTS = 60_000;
const VIDEOS = 3_000;

let db: Connection;

beforeAll(async () => {
  await forgetEverything();
  await generate({ day: DAY, events: EVENTS, videos: VIDEOS, seed: 1 });
  db = await adminConnection();
}, 120_000);

afterAll(async () => {
  await db.end();
});

beforeEach(forgetResults);

const count = async (sql: string) => {
  const [rows] = await db.query({ sql, rowsAsArray: true });
  return Number((rows as unknown[][])[0]![0]);
};

describe('a day', () => {
  test('gives the statistics that the raw events give when they are counted by hand', async () => {
    const view = await runDay(DAY);
    expect(view).toMatchObject({ state: 'completed', rowsRead: EVENTS });
    expect(await statisticsStored(db, DAY)).toEqual(await statisticsByHand(db, DAY));
  });

  test('is proven by its reconciliation, down to the ledger', async () => {
    await runDay(DAY);
    const { body } = await callBatch(`v1/ops/reconciliation?date=${DAY}`);
    expect(body).toMatchObject({ day: DAY, events: EVENTS, differences: [] });
    expect(body.postings.count).toBe(body.ledger.entries);
    expect(body.postings.amount).toBe(body.ledger.amount);
    expect(body.postings.views).toBe(body.counted);
  });

  test('run twice changes nothing, and the second answer is the finished run', async () => {
    const first = await runDay(DAY);
    const before = await digests(db);
    const again = await callBatch('v1/ops/runs', { method: 'POST', body: { date: DAY } });
    expect(again.status).toBe(200);
    expect(again.body.runId).toBe(first.runId);
    expect(await digests(db)).toEqual(before);
    expect(await count('SELECT COUNT(*) FROM playbill_batch.run')).toBe(1);
  });

  test('recomputed from scratch is replaced by the same rows and posts nothing new', async () => {
    await runDay(DAY);
    const before = await digests(db);
    await db.query(
      `INSERT IGNORE INTO playbill_watch.dirty_slice SELECT DISTINCT day, slice FROM playbill_watch.watch_event`,
    );
    const again = await runDay(DAY);
    expect(again).toMatchObject({ state: 'completed', rowsRead: EVENTS, postings: 0 });
    expect(await digests(db)).toEqual(before);
  });

  test('asked for twice at once is run once', async () => {
    const client = batchClient();
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.requestRun({ date: DAY as never, job: 'daily' })));
    const ids = new Set(answers.map((answer) => (answer.kind === 'unchanged' ? answer.run.runId : answer.runId)));
    expect(ids.size).toBe(1);
    await waitForRun([...ids][0]!);
    expect(await count('SELECT COUNT(*) FROM playbill_batch.run')).toBe(1);
  });

  test('that is running is answered 409 with the id of its run', async () => {
    const runId = await requestDay(DAY);
    const again = await callBatch('v1/ops/runs', { method: 'POST', body: { date: DAY } });
    if (again.status !== 200) {
      expect(again).toMatchObject({ status: 409, body: { code: 'RUN_ACTIVE', runId } });
      expect(again.type).toContain('application/problem+json');
    }
    await waitForRun(runId);
  });

  test('is shared by both replicas, each with 35 to 65 percent of the slices, and none idle while slices wait', async () => {
    const view = await runDay(DAY);
    expect(view.replicas.map((replica) => replica.name)).toEqual(['batch-1', 'batch-2']);
    for (const { partitions } of view.replicas) {
      expect(partitions / view.partitions.total).toBeGreaterThanOrEqual(0.35);
      expect(partitions / view.partitions.total).toBeLessThanOrEqual(0.65);
    }
    const idleMs = await count(`SELECT COALESCE(MAX(gap), 0) FROM (
      SELECT TIMESTAMPDIFF(MICROSECOND, LAG(ended_at, 2) OVER (PARTITION BY phase, owner ORDER BY ended_at), started_at) / 1000
        AS gap FROM playbill_batch.run_slice WHERE run_id = '${view.runId}') gaps`);
    expect(idleMs).toBeLessThan(1_500);
  });

  test('without events completes and posts nothing', async () => {
    await runDay(DAY);
    const postings = await count('SELECT COUNT(*) FROM playbill_batch.posting');
    const view = await runDay(NEXT);
    expect(view).toMatchObject({ state: 'completed', rowsRead: 0, postings: 0 });
    expect(await count('SELECT COUNT(*) FROM playbill_batch.posting')).toBe(postings);
    expect(await count(`SELECT COUNT(*) FROM playbill_batch.settlement_day WHERE day = '${NEXT}'`)).toBe(1);
  });

  test('tells the world of its completion once its transaction is committed', async () => {
    await runDay(DAY);
    await eventually(async () => (await count('SELECT COUNT(*) FROM playbill_batch.outbox')) === 0 || undefined, {
      what: 'the outbox to be empty',
      deadlineMs: 20_000,
    });
  });
});

describe('the order of days', () => {
  test('a gap is refused, naming the first missing day', async () => {
    await runDay(DAY);
    const refused = await callBatch('v1/ops/runs', { method: 'POST', body: { date: '2026-11-04' } });
    expect(refused).toMatchObject({ status: 409, body: { code: 'SETTLEMENT_GAP' } });
    expect(refused.body.detail).toContain('2026-11-02');
  });

  test('a backfill settles its days one after the other', async () => {
    await runDay(DAY);
    const ask = (body: object, path = 'v1/ops/runs') => callBatch(path, { method: 'POST', body });
    // A day that is held keeps those after it waiting: each is found, and the next one follows them.
    const hold = { date: NEXT, reason: 'a test' };
    expect((await ask(hold, 'v1/ops/holds')).status).toBe(201);
    const answer = await ask({ from: DAY, to: '2026-11-04' });
    expect(answer.status).toBe(202);
    expect(answer.body.runIds).toHaveLength(3);
    const [first, , third] = answer.body.runIds;
    expect(await ask({ date: '2026-11-04' })).toMatchObject({ status: 409, body: { runId: third } });
    expect(await ask({ from: DAY, to: '2026-11-04' })).toMatchObject({ status: 409, body: { runId: first } });
    const next = await ask({ date: '2026-11-05' });
    expect(next.status).toBe(202);
    answer.body.runIds.push(next.body.runId);
    expect((await ask(hold, 'v1/ops/holds/release')).status).toBe(200);
    for (const runId of answer.body.runIds) expect((await waitForRun(runId)).state).toBe('completed');
    const [rows] = await db.query({
      sql: `SELECT r.day FROM playbill_batch.settlement_day d JOIN playbill_batch.run r ON r.run_id = d.run_id
        ORDER BY d.completed_at, d.day`,
      rowsAsArray: true,
    });
    expect((rows as string[][]).flat()).toEqual([DAY, NEXT, '2026-11-03', '2026-11-04', '2026-11-05']);
  });

  test.each([
    ['a day that is not over', { date: '2999-01-01' }, 422, 'DAY_NOT_OVER'],
    ['a date that does not exist', { date: '2026-02-30' }, 422, 'INVALID'],
    ['a range that runs backwards', { from: NEXT, to: DAY }, 422, 'INVALID'],
    ['a job that does not exist', { date: DAY, job: 'nightly' }, 422, 'INVALID'],
    ['a field that is not known', { date: DAY, force: true }, 422, 'INVALID'],
    ['a settlement without statistics', { date: DAY, job: 'settlement' }, 409, 'STATISTICS_MISSING'],
  ])('%s is refused', async (_what, body, status, code) => {
    const answer = await callBatch('v1/ops/runs', { method: 'POST', body });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(await count('SELECT COUNT(*) FROM playbill_batch.run')).toBe(0);
  });

  test('an unknown run is answered 404', async () => {
    const answer = await callBatch('v1/ops/runs/00000000-0000-7000-8000-000000000000');
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});

describe('the schedule', () => {
  test('catches up the days that were missed, empty ones too, in order and once a slot', async () => {
    await runDay(DAY);
    const slots = await Promise.all([tick('2026-11-05'), tick('2026-11-05'), tick('2026-11-05')]);
    expect(slots.flat()).toEqual([NEXT, '2026-11-03', '2026-11-04']);
    await eventually(
      async () => (await count('SELECT COUNT(*) FROM playbill_batch.settlement_day')) === 4 || undefined,
      { what: 'the missed days to be settled', deadlineMs: 30_000 },
    );
    expect(await count('SELECT COUNT(*) FROM playbill_batch.run')).toBe(4);
    expect(await tick('2026-11-05')).toEqual([]);
  });

  test('has a run of statistics alone that is under way settle its day too', async () => {
    await runDay(DAY);
    await generate({ day: NEXT, events: EVENTS, videos: VIDEOS, seed: 2 });
    try {
      const runId = await requestDay(NEXT, 'statistics');
      expect(await tick('2026-11-03')).toEqual([NEXT]);
      expect(await waitForRun(runId)).toMatchObject({ state: 'completed', job: 'daily' });
      expect(await count(`SELECT COUNT(*) FROM playbill_batch.settlement_day WHERE day = '${NEXT}'`)).toBe(1);
    } finally {
      await db.query(`DELETE FROM playbill_watch.watch_event WHERE day = '${NEXT}'`);
      await db.query(`DELETE FROM playbill_watch.dirty_slice WHERE day = '${NEXT}'`);
    }
  });

  test('runs a settled day again when its events have changed, and leaves the others alone', async () => {
    await runDay(DAY);
    await runDay(NEXT);
    await db.query(`INSERT INTO playbill_watch.dirty_slice VALUES ('${DAY}', 5)`);
    expect(await tick('2026-11-03')).toEqual([DAY]);
    await eventually(
      async () => (await count("SELECT COUNT(*) FROM playbill_batch.run WHERE state = 'completed'")) === 3 || undefined,
      { what: 'the changed day to be run again', deadlineMs: 30_000 },
    );
    expect(await count('SELECT COUNT(*) FROM playbill_watch.dirty_slice')).toBe(0);
  });
});

describe('late events', () => {
  test('re-run only their slice, and the difference is billed on the day of the posting', async () => {
    await runDay(DAY);
    const [[event]] = (await db.query({
      sql: 'SELECT slice, video_id FROM playbill_watch.watch_event WHERE day = ? AND reason = 0 LIMIT 1',
      values: [DAY],
      rowsAsArray: true,
    })) as never as [[[number, string]]];
    const eventId = '00000000000070008000000000000001';
    await db.query(`INSERT INTO playbill_watch.watch_event VALUES (?, ?, ?, UNHEX(?), 'u:1', ?, 10, 10, 2, 0)`, [
      DAY,
      event[0],
      event[1],
      eventId,
      `${DAY} 03:00:00.000`,
    ]);
    await db.query('INSERT IGNORE INTO playbill_watch.dirty_slice VALUES (?, ?)', [DAY, event[0]]);
    try {
      const view = await runDay(DAY);
      expect(view.rowsRead).toBeLessThan(EVENTS / 10);
      expect(view.postings).toBe(2);
      const { body } = await callBatch(`v1/ops/reconciliation?date=${DAY}`);
      expect(body.differences).toEqual([]);
      const adjusted = await count(
        `SELECT COUNT(*) FROM playbill_batch.adjustment WHERE event_day = '${DAY}' AND billed_on > event_day AND cause = 'LATE'`,
      );
      expect(adjusted).toBe(2);
    } finally {
      await db.query('DELETE FROM playbill_watch.watch_event WHERE event_id = UNHEX(?)', [eventId]);
    }
  });
});

describe('the database account of the batch service', () => {
  test.each([
    ['change a posting', 'UPDATE playbill_batch.posting SET amount = amount + 1'],
    ['remove a posting', 'DELETE FROM playbill_batch.posting'],
    ['change a ledger entry', 'UPDATE playbill_batch.ledger_entry SET amount = amount + 1'],
    ['remove a ledger entry', 'DELETE FROM playbill_batch.ledger_entry'],
    ['write a watch event', 'UPDATE playbill_watch.watch_event SET reason = 0'],
    ['change a tariff', 'UPDATE playbill_batch.tariff_tier SET unit_price_tenths = 0'],
  ])('cannot %s', async (_what, statement) => {
    const connection = await databaseConnection('batch');
    try {
      await expect(connection.query(statement)).rejects.toMatchObject({ code: 'ER_TABLEACCESS_DENIED_ERROR' });
    } finally {
      await connection.end();
    }
  });
});
