import type { Connection } from 'mysql2/promise';
import { callBatch, forgetEverything, runDay } from './support/batch.js';
import { insertEvent, insertVideo } from './support/events.js';
import { callGateway, signUp } from './support/gateway.js';
import { operatorToken } from './support/identity.js';
import { adminConnection, eventually, stack } from './support/stack.js';

const DAY = '2026-11-01';
const NEXT = '2026-11-02';
const OPEN = '2026-11-03';
const FRAUD = 'd:11111111-2222-4333-8444-555555555555';

let db: Connection;
let events = 0;

async function watch(viewer: string, day: string, videoId: number): Promise<string> {
  events += 1;
  const eventId = `00000000-0000-7000-9000-${String(events).padStart(12, '0')}`;
  await insertEvent(db, {
    eventId,
    videoId,
    viewer,
    watchedAtMs: Date.parse(`${day}T02:00:00Z`) + events,
    playedSeconds: 20,
    adViews: 3,
    reason: 0,
    today: '2026-11-10',
  });
  return eventId;
}

beforeAll(async () => {
  db = await adminConnection();
}, 60_000);
afterAll(() => db.end());

beforeEach(async () => {
  await forgetEverything();
  for (const table of ['revocation', 'revocation_progress', 'revocation_effect']) {
    await db.query(`TRUNCATE TABLE playbill_watch.${table}`);
  }
  for (const videoId of [1, 2]) await insertVideo(db, { videoId, creatorId: 7, lengthSeconds: 3_600 });
  for (const day of [DAY, NEXT, OPEN]) {
    for (const viewer of [FRAUD, FRAUD, 'u:5', 'u:6']) await watch(viewer, day, 1);
  }
  for (const day of [DAY, NEXT]) expect((await runDay(day)).state).toBe('completed');
}, 60_000);

async function revoke(body: unknown, token?: string) {
  return callGateway('/v1/ops/events/revoke', { method: 'POST', body, token: token ?? (await operatorToken()) });
}

// biome-ignore lint/suspicious/noExplicitAny: rows have the shape of the statement
async function rowsOf(sql: string): Promise<any[]> {
  const [rows] = await db.query(sql);
  return rows as unknown[];
}

const adjustments = () =>
  rowsOf(`SELECT DATE_FORMAT(p.event_day, '%Y-%m-%d') AS day, p.kind, CAST(p.to_position - p.from_position AS SIGNED) AS units,
    p.amount, a.cause FROM playbill_batch.posting p JOIN playbill_batch.adjustment a ON a.event_day = p.event_day
    AND a.video_id = p.video_id AND a.kind = p.kind AND a.seq = p.seq ORDER BY 1, 2`);

const done = () =>
  eventually(
    async () => {
      const open = await rowsOf(`SELECT 1 FROM playbill_watch.revocation_progress WHERE done = 0
        UNION ALL SELECT 1 FROM playbill_batch.rerun_request
        UNION ALL SELECT 1 FROM playbill_batch.run WHERE active_day IS NOT NULL`);
      const any = await rowsOf('SELECT 1 FROM playbill_watch.revocation_progress');
      return (any.length > 0 && open.length === 0) || undefined;
    },
    { what: 'the revocation and the runs of its days', deadlineMs: 40_000 },
  );

test("a viewer's counted events of the days are revoked, and what was paid for them is taken back by itself", async () => {
  const answer = await revoke({ viewer: FRAUD, from: DAY, to: OPEN, reason: 'a farm of devices' });
  expect(answer.status).toBe(202);
  await done();
  expect(await adjustments()).toMatchObject(
    [DAY, NEXT].flatMap((day) => [
      { day, kind: 'view', units: '-2', amount: '-2', cause: 'REVOKED' },
      { day, kind: 'ad', units: '-6', amount: '-60', cause: 'REVOKED' },
    ]),
  );
  for (const day of [DAY, NEXT]) {
    const { body } = await callBatch(`v1/ops/reconciliation?date=${day}`);
    expect(body).toMatchObject({ counted: 2, excluded: 2, differences: [] });
  }
  const excluded = await rowsOf(
    `SELECT excluded_revoked AS n FROM playbill_batch.daily_statistic WHERE day = '${DAY}'`,
  );
  expect(excluded.map(({ n }) => Number(n))).toEqual([2]);
  const { body: audit } = await callBatch('v1/ops/audit');
  expect(audit.items.find(({ action }: { action: string }) => action === 'events.revoke')).toMatchObject({
    subject: `viewer:${FRAUD}`,
    after: { reason: 'a farm of devices', events: 6, from: DAY, to: OPEN },
  });
  // The day that is not settled yet begins without them.
  expect((await runDay(OPEN)).postings).toBe(2);
  expect((await rowsOf(`SELECT views FROM playbill_batch.daily_statistic WHERE day = '${OPEN}'`))[0].views).toBe('2');
}, 60_000);

test('events are revoked by id, whatever their day, once, and a repeated call takes nothing back twice', async () => {
  const ids = (
    await rowsOf(`SELECT LOWER(HEX(event_id)) AS id FROM playbill_watch.watch_event WHERE viewer = 'u:5'`)
  ).map(({ id }) => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
  for (let i = 0; i < 2; i++) {
    expect((await revoke({ eventIds: ids, reason: 'test account' })).status).toBe(202);
    await done();
  }
  expect((await adjustments()).map(({ day, kind, units }) => [day, kind, units])).toEqual([
    [DAY, 'view', '-1'],
    [DAY, 'ad', '-3'],
    [NEXT, 'view', '-1'],
    [NEXT, 'ad', '-3'],
  ]);
  expect((await callBatch('v1/ops/reconciliation/books')).body.differences).toEqual([]);
}, 60_000);

test('a revocation goes on when both replicas of watch-history are killed, and while batch is away', async () => {
  const replicas = ['watch-history-1', 'watch-history-2'];
  await stack().kill('batch-1');
  await stack().kill('batch-2');
  expect((await revoke({ viewer: FRAUD, from: DAY, to: NEXT, reason: 'x' })).status).toBe(202);
  await Promise.all(replicas.map((replica) => stack().kill(replica)));
  await stack().waitHealthy();
  await db.query("UPDATE playbill_watch.revocation_progress SET lease_until = '2000-01-01' WHERE done = 0");
  await done();
  expect(await adjustments()).toHaveLength(4);
}, 90_000);

test.each([
  ['neither events nor a viewer', { from: DAY, to: NEXT, reason: 'x' }],
  [
    'both events and a viewer',
    { viewer: FRAUD, eventIds: ['00000000-0000-7000-9000-000000000001'], from: DAY, to: NEXT, reason: 'x' },
  ],
  ['a viewer without days', { viewer: FRAUD, reason: 'x' }],
  ['days that run backwards', { viewer: FRAUD, from: NEXT, to: DAY, reason: 'x' }],
  ['no reason', { viewer: FRAUD, from: DAY, to: NEXT }],
])('%s are refused', async (_what, body) => {
  expect((await revoke(body)).status).toBe(422);
  expect(await rowsOf('SELECT 1 FROM playbill_watch.revocation')).toHaveLength(0);
});

test('only operators revoke', async () => {
  const user = await signUp();
  const body = { viewer: FRAUD, from: DAY, to: NEXT, reason: 'x' };
  expect((await revoke(body, user.accessToken)).status).toBe(403);
  expect((await callGateway('/v1/ops/events/revoke', { method: 'POST', body })).status).toBe(401);
});
