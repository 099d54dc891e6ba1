import type { Connection } from 'mysql2/promise';
import { addDays, type KstDay, kstDayOf, startOfDayMs } from '#domain';
import { callBatch, digests, forgetEverything, runDay } from './support/batch.js';
import { insertEvent } from './support/events.js';
import { adminConnection, generate } from './support/stack.js';

const TODAY = kstDayOf(Date.now());
const [OLD, NEXT, KEPT] = [addDays(TODAY, -45), addDays(TODAY, -44), addDays(TODAY, -43)] as [KstDay, KstDay, KstDay];
/** With this age, OLD and NEXT are to go and KEPT stays. */
const KEEP_DAYS = 43;
const EVENTS = 5_000;

let db: Connection;

beforeEach(async () => {
  await forgetEverything();
  db = await adminConnection();
  for (const day of [OLD, NEXT, KEPT]) await generate({ day, events: EVENTS, videos: 300, seed: 3 });
});

afterEach(() => db.end());

const drop = (body: object) => callBatch('v1/ops/retention', { method: 'POST', body });
const rawEvents = async (day: string) => {
  const [rows] = await db.query({
    sql: 'SELECT COUNT(*) FROM playbill_watch.watch_event WHERE day = ?',
    values: [day],
    rowsAsArray: true,
  });
  return Number((rows as number[][])[0]![0]);
};

describe('dropping the raw events of old days', () => {
  test('removes them, and leaves statistics, postings, ledger and their proof as they were', async () => {
    for (const day of [OLD, NEXT, KEPT]) expect((await runDay(day)).state).toBe('completed');
    const before = await digests(db);
    expect((await drop({ keepDays: KEEP_DAYS, trial: true })).body.days).toEqual([
      { day: OLD, events: EVENTS },
      { day: NEXT, events: EVENTS },
    ]);
    expect(await rawEvents(OLD)).toBe(EVENTS);

    expect(await drop({ keepDays: KEEP_DAYS })).toMatchObject({ status: 200, body: { keptFrom: KEPT, trial: false } });
    expect([await rawEvents(OLD), await rawEvents(NEXT), await rawEvents(KEPT)]).toEqual([0, 0, EVENTS]);
    expect(await digests(db)).toEqual(before);
    for (const day of [OLD, NEXT, KEPT]) {
      const { body } = await callBatch(`v1/ops/reconciliation?date=${day}`);
      expect(body).toMatchObject({ events: EVENTS, differences: [] });
    }
    expect((await drop({ keepDays: KEEP_DAYS })).body.days).toEqual([]);
  });

  test('drops no day whose rows lie in one partition with a day that is kept', async () => {
    const event = { videoId: 7, viewer: 'u:7', playedSeconds: 33, adViews: 0, reason: 0, today: TODAY };
    const before = addDays(OLD, -2);
    const watchedAtMs = startOfDayMs(before);
    await insertEvent(db, { ...event, watchedAtMs, eventId: '01999999-0000-7000-8000-000000000007' });
    for (const day of [OLD, NEXT, KEPT, before]) await runDay(day);
    expect((await drop({ keepDays: KEEP_DAYS + 2 })).body.days).toEqual([]);
    expect(await rawEvents(before)).toBe(1);
    expect((await drop({ keepDays: KEEP_DAYS })).body.days).toMatchObject([
      { day: before },
      { day: OLD },
      { day: NEXT },
    ]);
    expect(await rawEvents(before)).toBe(0);
  });

  test('never lets a run take missing events for revoked ones', async () => {
    for (const day of [OLD, NEXT, KEPT]) await runDay(day);
    await drop({ keepDays: KEEP_DAYS });
    const before = await digests(db);
    await db.query('INSERT INTO playbill_watch.dirty_slice VALUES (?, 7)', [OLD]);
    const answer = await callBatch('v1/ops/runs', { method: 'POST', body: { date: OLD } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'RAW_DAY_DROPPED' } });
    expect(await digests(db)).toEqual(before);
  });

  test.each([
    ['is not settled', async () => void (await runDay(OLD)), NEXT],
    [
      'has events that no run has covered',
      async () => {
        for (const day of [OLD, NEXT, KEPT]) await runDay(day);
        await db.query('INSERT INTO playbill_watch.dirty_slice VALUES (?, 7)', [OLD]);
      },
      OLD,
    ],
  ])('is refused whole, naming the day that %s', async (_why, prepare, day) => {
    await prepare();
    const answer = await drop({ keepDays: KEEP_DAYS });
    expect(answer).toMatchObject({ status: 409, body: { code: 'RAW_DAY_NEEDED' } });
    expect(answer.body.detail).toContain(day);
    expect([await rawEvents(OLD), await rawEvents(NEXT)]).toEqual([EVENTS, EVENTS]);
  });

  test('is refused for an age in which late events still come', async () => {
    expect(await drop({ keepDays: 36 })).toMatchObject({ status: 422, body: { code: 'RETENTION_TOO_SHORT' } });
  });
});
