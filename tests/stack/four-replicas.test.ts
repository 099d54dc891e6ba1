import type { Connection } from 'mysql2/promise';
import {
  digests,
  forgetEverything,
  forgetResults,
  requestDay,
  runDay,
  statisticsByHand,
  statisticsStored,
  waitForRun,
} from './support/batch.js';
import { adminConnection, eventually, generate, stack } from './support/stack.js';

const DAY = '2026-11-01';
const EVENTS = 40_000;

let db: Connection;
let added: string[] = [];

beforeAll(async () => {
  await forgetEverything();
  await generate({ day: DAY, events: EVENTS, videos: 2_000, seed: 4 });
  db = await adminConnection();
  added = [await stack().addReplica('batch'), await stack().addReplica('batch')];
}, 180_000);

afterAll(async () => {
  for (const name of added) await stack().removeReplica(name);
  await db.end();
  await stack().waitHealthy();
});

beforeEach(forgetResults);

const busy = async () => {
  const [rows] = await db.query("SELECT DISTINCT owner FROM playbill_batch.run_slice WHERE state = 'done'");
  return (rows as { owner: string }[]).map(({ owner }) => owner).sort();
};

test('four replicas of batch share a day, and its result is the one that two give', async () => {
  const view = await runDay(DAY);
  expect(view).toMatchObject({ state: 'completed', rowsRead: EVENTS });
  expect(await busy()).toEqual(['batch-1', 'batch-2', 'batch-3', 'batch-4']);
  expect(await statisticsStored(db, DAY)).toEqual(await statisticsByHand(db, DAY));
  const byFour = await digests(db);
  for (const name of added) await stack().removeReplica(name);
  added = [];
  await forgetResults();
  await runDay(DAY);
  expect(await busy()).toEqual(['batch-1', 'batch-2']);
  expect(await digests(db)).toEqual(byFour);
  added = [await stack().addReplica('batch'), await stack().addReplica('batch')];
});

test('a replica that is taken away in the middle of a run leaves nothing undone', async () => {
  const runId = await requestDay(DAY);
  await eventually(async () => ((await busy()).length > 0 ? true : undefined), {
    what: 'the first slice',
    deadlineMs: 30_000,
  });
  const [gone] = added.splice(0, 1);
  await stack().removeReplica(gone!);
  expect(await waitForRun(runId)).toMatchObject({ state: 'completed', rowsRead: EVENTS });
  expect(await statisticsStored(db, DAY)).toEqual(await statisticsByHand(db, DAY));
});
