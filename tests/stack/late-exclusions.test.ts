import type { Connection } from 'mysql2/promise';
import { addDays, kstDayOf, latestPeriodOver, weekOf } from '#domain';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { reportClientOf } from '../../services/ops/adapters/report-client.js';
import { callBatch, forgetEverything, runDay } from './support/batch.js';
import { insertEvent, insertVideo, revokeById } from './support/events.js';
import { callGateway, type SignedIn, signUp } from './support/gateway.js';
import { adminConnection, eventually, stack } from './support/stack.js';

/** Last week's Sunday: the books open on it, and so its week is over and settled. */
const DAY = latestPeriodOver('weekly', Date.now()).to;
const WEEK = weekOf(DAY);
const [COUNTED, SELF_VIEW, REPEAT] = [0, 1, 2];

let db: Connection;
let creator: SignedIn;
let events = 0;

beforeAll(async () => {
  db = await adminConnection();
});
afterAll(() => db.end());

beforeEach(async () => {
  await forgetEverything();
  creator = await signUp();
  const creatorId = BigInt(creator.userId);
  for (const videoId of [1, 2]) await insertVideo(db, { videoId, creatorId, lengthSeconds: 3_600 });
  for (let i = 0; i < 3; i += 1) await watch(1, COUNTED);
  await watch(1, SELF_VIEW);
}, 60_000);

/** Stores one event of the day. @returns its id */
async function watch(videoId: number, reason: number, day = DAY): Promise<string> {
  events += 1;
  const eventId = `00000000-0000-7000-9100-${String(events).padStart(12, '0')}`;
  await insertEvent(db, {
    eventId,
    videoId,
    viewer: `u:${events}`,
    watchedAtMs: Date.parse(`${day}T02:00:00Z`) + events,
    playedSeconds: 20,
    adViews: 0,
    reason,
    today: kstDayOf(Date.now()),
  });
  return eventId;
}

/** A bill without the instant that it reaches. */
async function billOf(query: string) {
  const { status, body } = await callGateway(`/v1/info/bill/${query}`, { token: creator.accessToken });
  if (status !== 200) throw new Error(`bill: ${status} ${JSON.stringify(body)}`);
  const { asOf: _asOf, ...bill } = body;
  return bill;
}

const excludedIn = (bill: Awaited<ReturnType<typeof billOf>>) =>
  Object.fromEntries(
    bill.videos.map((video: { videoId: string; excluded: object }) => [video.videoId, video.excluded]),
  );

/** The bills that are final, and the statement. */
async function finished() {
  const statement = await eventually(
    async () => {
      const answer = await callGateway(`/v1/info/statement/weekly?week=${WEEK}`, { token: creator.accessToken });
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
      return answer;
    },
    { what: 'the statement', deadlineMs: 30_000 },
  );
  const [day, week] = [await billOf(`daily?date=${DAY}`), await billOf(`weekly?week=${WEEK}`)];
  return { day, week, statement: statement.body };
}

/** Runs the day once more, and waits until readers have what it found. @returns the bill of the day on which it did */
async function runAgain(expected: object, day = DAY) {
  expect((await runDay(day)).state).toBe('completed');
  const sql = "SELECT DISTINCT DATE_FORMAT(billed_on, '%Y-%m-%d') AS day FROM playbill_batch.late_exclusion";
  const [rows] = await db.query(sql);
  const [found] = rows as { day: string }[];
  return eventually(
    async () => {
      const bill = await billOf(`daily?date=${found!.day}`);
      expect(excludedIn(bill)).toEqual(expected);
      return bill;
    },
    { what: 'the bill with what was found late', deadlineMs: 20_000 },
  );
}

/** Has an operator ask for the week's statements, and waits for them. */
async function makeAgain(): Promise<void> {
  const reports = reportClientOf(installationOf(stack().endpoints, stack().secrets));
  const { runId } = await reports.makeStatements(WEEK);
  await eventually(async () => ((await reports.readRun(runId)).state === 'completed' ? true : undefined), {
    what: 'the statements',
    deadlineMs: 60_000,
  });
}

test('what is excluded late changes no bill or statement that is final: it is on the bill of the day that found it', async () => {
  await runDay(DAY);
  const before = await finished();
  expect(excludedIn(before.day)).toEqual({ 1: { SELF_VIEW: 1 } });
  expect([before.day.final, before.week.final, before.statement.revision]).toEqual([true, true, 1]);

  await watch(1, REPEAT);
  await watch(2, SELF_VIEW);
  await revokeById(db, [await countedEvent()]);
  const bill = await runAgain({ 1: { REPEAT: 1, REVOKED: 1 }, 2: { SELF_VIEW: 1 } });
  expect(bill.totals).toMatchObject({ views: 0, adjustments: -1, total: -1 });
  expect(await finished()).toEqual(before);

  await watch(2, SELF_VIEW);
  await watch(2, REPEAT);
  await runAgain({ 1: { REPEAT: 1, REVOKED: 1 }, 2: { SELF_VIEW: 2, REPEAT: 1 } });
  await makeAgain();
  expect(await finished()).toEqual(before);
  const { body } = await callBatch(`v1/ops/reconciliation?date=${DAY}`);
  expect(body).toMatchObject({ counted: 2, excluded: 6, differences: [] });
}, 120_000);

test('an event of a day before the books opened changes no bill of it either', async () => {
  const saturday = addDays(DAY, -1);
  await watch(1, SELF_VIEW, saturday);
  await runDay(saturday, 'statistics');
  await runDay(DAY);
  const [before, saturdays] = [await finished(), await billOf(`daily?date=${saturday}`)];
  await watch(2, SELF_VIEW, saturday);
  await runAgain({ 2: { SELF_VIEW: 1 } }, saturday);
  expect(await finished()).toEqual(before);
  expect(await billOf(`daily?date=${saturday}`)).toEqual(saturdays);
}, 60_000);

test('what is found before the day is settled is on its bill, and nowhere else', async () => {
  await runDay(DAY, 'statistics');
  await watch(2, SELF_VIEW);
  await runDay(DAY, 'statistics');
  await watch(1, REPEAT);
  await runDay(DAY);
  const { day } = await finished();
  expect(excludedIn(day)).toEqual({ 1: { SELF_VIEW: 1, REPEAT: 1 }, 2: { SELF_VIEW: 1 } });
  const [rows] = await db.query('SELECT * FROM playbill_batch.late_exclusion');
  expect(rows).toEqual([]);
}, 60_000);

/** One that counts. */
async function countedEvent(): Promise<string> {
  const [rows] = await db.query('SELECT LOWER(HEX(event_id)) AS id FROM playbill_watch.watch_event WHERE reason = 0');
  return (rows as { id: string }[])[0]!.id;
}
