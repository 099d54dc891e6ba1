import type { Connection } from 'mysql2/promise';
import {
  callBatch,
  digests,
  forgetEverything,
  forgetResults,
  requestDay,
  runDay,
  waitForRun,
} from './support/batch.js';
import { adminConnection, eventually, generate } from './support/stack.js';

const DAY = '2026-11-01';
const NEXT = '2026-11-02';
const EVENTS = 5_000;

let db: Connection;

beforeAll(async () => {
  await forgetEverything();
  for (const day of [DAY, NEXT]) await generate({ day, events: EVENTS, videos: 200, creators: 20, seed: 5 });
  db = await adminConnection();
}, 60_000);
afterAll(() => db.end());
beforeEach(forgetResults);

// biome-ignore lint/suspicious/noExplicitAny: rows have the shape of the statement
async function rowsOf(sql: string, values: unknown[] = []): Promise<any[]> {
  const [rows] = await db.query({ sql, values });
  return rows as unknown[];
}
const post = (path: string, body: unknown) => callBatch(path, { method: 'POST', body });

const TARIFF = {
  effectiveFrom: NEXT,
  rounding: 'cumulative',
  view: [
    { from: 0, unitPrice: 1.5 },
    { from: 100, unitPrice: '2' },
  ],
  ad: [{ from: 0, unitPrice: 0 }],
};

describe('tariffs', () => {
  test('take effect on their day, and the same tariff sent again is the same version', async () => {
    await runDay(DAY);
    const added = await post('v1/ops/tariffs', TARIFF);
    expect(added).toMatchObject({ status: 201, body: { version: 2, effectiveFrom: NEXT, rounding: 'cumulative' } });
    expect(added.body.view).toEqual([
      { from: 0, unitPrice: 1.5 },
      { from: 100, unitPrice: 2 },
    ]);
    expect(await post('v1/ops/tariffs', TARIFF)).toMatchObject({ status: 201, body: { version: 2 } });
    const { body } = await callBatch('v1/ops/tariffs');
    expect(body.items.map((tariff: { version: number }) => tariff.version)).toEqual([1, 2]);
    await runDay(NEXT);
    const versions = await rowsOf(
      "SELECT DATE_FORMAT(event_day, '%Y-%m-%d') AS day, MIN(tariff_version) AS low, MAX(tariff_version) AS high FROM playbill_batch.posting GROUP BY 1 ORDER BY 1",
    );
    expect(versions).toEqual([
      { day: DAY, low: 1, high: 1 },
      { day: NEXT, low: 2, high: 2 },
    ]);
    for (const day of [DAY, NEXT]) {
      expect((await callBatch(`v1/ops/reconciliation?date=${day}`)).body).toMatchObject({ differences: [] });
    }
  });

  test('that would touch a settled day, or begin with another, are refused', async () => {
    await runDay(DAY);
    const closed = await post('v1/ops/tariffs', { ...TARIFF, effectiveFrom: DAY });
    expect(closed).toMatchObject({ status: 409, body: { code: 'TARIFF_CLOSED_DAY', lastSettledDay: DAY } });
    expect(await post('v1/ops/tariffs', TARIFF)).toMatchObject({ status: 201 });
    const overlapping = await post('v1/ops/tariffs', { ...TARIFF, rounding: 'line' });
    expect(overlapping).toMatchObject({ status: 409, body: { code: 'TARIFF_OVERLAP' } });
  });

  test.each([
    ['tiers that do not start at 0', { view: [{ from: 1, unitPrice: 1 }] }, 'view[0].from'],
    [
      'tiers that do not ascend',
      { ad: [TARIFF.ad[0], { from: 9, unitPrice: 1 }, { from: 9, unitPrice: 2 }] },
      'ad[2].from',
    ],
    ['a negative price', { view: [{ from: 0, unitPrice: -1 }] }, 'view[0].unitPrice'],
    ['a price finer than a tenth', { view: [{ from: 0, unitPrice: 1.05 }] }, 'view[0].unitPrice'],
    ['no tiers', { ad: [] }, 'ad'],
    ['an unknown rounding', { rounding: 'up' }, 'rounding'],
    ['a day that does not exist', { effectiveFrom: '2026-02-30' }, 'effectiveFrom'],
  ])('with %s are refused, naming the field', async (_what, change, field) => {
    const answer = await post('v1/ops/tariffs', { ...TARIFF, ...change });
    expect(answer).toMatchObject({ status: 422, body: { code: 'INVALID' } });
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect(await rowsOf('SELECT version FROM playbill_batch.tariff')).toHaveLength(1);
  });

  test('are previewed against real days: each creator as by hand, and nothing is written', async () => {
    await runDay(DAY);
    const before = await digests(db);
    const { status, body } = await post('v1/ops/tariffs/preview', { tariff: TARIFF, from: DAY, to: '2026-11-05' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ days: [DAY], omitted: 0 });
    const byHand = new Map<string, number[]>();
    const priceOf = (units: number) => Math.floor((Math.min(units, 100) * 15 + Math.max(0, units - 100) * 20) / 10);
    for (const row of await rowsOf('SELECT * FROM playbill_batch.posting')) {
      const sum = byHand.get(row.creator_id) ?? [0, 0];
      const [from, to] = [Number(row.from_position), Number(row.to_position)];
      const preview = row.kind === 'view' ? priceOf(to) - priceOf(from) : 0;
      byHand.set(row.creator_id, [sum[0]! + Number(row.amount), sum[1]! + preview]);
    }
    expect(body.creators).toHaveLength(byHand.size);
    for (const creator of body.creators) {
      const [current, preview] = byHand.get(creator.creatorId)!;
      expect(creator).toEqual({ creatorId: creator.creatorId, current, preview, difference: preview! - current! });
    }
    const sizes = body.creators.map(({ difference }: { difference: number }) => Math.abs(difference));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(await digests(db)).toEqual(before);
    expect(await rowsOf('SELECT version FROM playbill_batch.tariff')).toHaveLength(1);
  });
});

describe('a day that an operator holds', () => {
  test('is computed but not settled, and neither are the days after it, until it is released', async () => {
    const held = await post('v1/ops/holds', { date: DAY, reason: 'too many ad views' });
    expect(held).toMatchObject({ status: 201, body: { day: DAY, reason: 'too many ad views' } });
    const { body } = await post('v1/ops/runs', { from: DAY, to: NEXT });
    const [first, second] = body.runIds as [string, string];
    const waiting = await eventually(
      async () => {
        const run = await callBatch(`v1/ops/runs/${first}`);
        return run.body.state === 'held' ? run.body : undefined;
      },
      { what: 'the run to be held', deadlineMs: 20_000 },
    );
    expect(waiting).toMatchObject({ rowsRead: EVENTS, postings: 0 });
    expect(await rowsOf('SELECT 1 FROM playbill_batch.posting')).toHaveLength(0);
    expect((await callBatch(`v1/ops/reconciliation?date=${DAY}`)).body.differences).toEqual([
      expect.objectContaining({ kind: 'day/missing' }),
    ]);

    const released = await post('v1/ops/holds/release', { date: DAY, reason: 'was a campaign' });
    expect(released).toEqual({ status: 200, type: expect.anything(), body: { day: DAY, runId: first } });
    expect(await waitForRun(first)).toMatchObject({ state: 'completed', rowsRead: EVENTS });
    expect(await waitForRun(second)).toMatchObject({ state: 'completed' });
    for (const day of [DAY, NEXT]) {
      expect((await callBatch(`v1/ops/reconciliation?date=${day}`)).body).toMatchObject({ differences: [] });
    }
  });

  test('does not hold back the adjustment of an earlier one', async () => {
    await runDay(DAY);
    await post('v1/ops/holds', { date: NEXT, reason: 'x' });
    const runId = await requestDay(NEXT);
    await eventually(async () => (await callBatch(`v1/ops/runs/${runId}`)).body.state === 'held' || undefined, {
      what: 'the run to be held',
      deadlineMs: 20_000,
    });
    await db.query('INSERT INTO playbill_watch.dirty_slice VALUES (?, 3)', [DAY]);
    expect(await runDay(DAY)).toMatchObject({ state: 'completed' });
    await post('v1/ops/holds/release', { date: NEXT, reason: 'x' });
    expect((await waitForRun(runId)).state).toBe('completed');
  });

  test('is released once', async () => {
    const answer = await post('v1/ops/holds/release', { date: DAY, reason: 'x' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'DAY_NOT_HELD' } });
  });
});

test('every act is in the audit log, the newest first, with who did it, when, before and after', async () => {
  const startedAt = Date.now();
  await post('v1/ops/holds', { date: DAY, reason: 'a' });
  await post('v1/ops/holds', { date: DAY, reason: 'again' });
  await post('v1/ops/holds/release', { date: DAY, reason: 'b' });
  await post('v1/ops/tariffs', TARIFF);
  await post('v1/ops/tariffs', { ...TARIFF, rounding: 'up' });
  const runId = await requestDay(DAY);
  const { body } = await callBatch('v1/ops/audit');
  const items = body.items.slice(0, 4);
  expect(items.map(({ action, subject }: Record<string, string>) => [action, subject])).toEqual([
    ['run.request', `day:${DAY}`],
    ['tariff.add', 'tariff:2'],
    ['day.release', `day:${DAY}`],
    ['day.hold', `day:${DAY}`],
  ]);
  expect(items[2]).toMatchObject({ before: { reason: 'a' }, after: { released: true, reason: 'b' } });
  expect(items[3]).toMatchObject({ before: null, after: { reason: 'a' } });
  for (const { actor, at } of items) {
    expect(actor).toBeTruthy();
    expect(Date.parse(at)).toBeGreaterThan(startedAt - 5_000);
  }
  await waitForRun(runId);
});
