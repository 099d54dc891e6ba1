import { addDays, type KstDay, kstDayOf } from '#domain';
import type { Stack } from '../../deploy/local/stack/index.js';
import { settleAndJudge } from '../chaos/play.js';
import { Traffic, type TrafficReport } from '../chaos/traffic.js';
import type { World } from '../chaos/world.js';
import { previousRelease } from '../release/previous.js';
import { openOwnWorld } from './support/own-world.js';

/**
 * The upgrade of docs/operations.md on a stack of its own: the release before this one, from its compiled code and its
 * own schema, is replaced replica by replica while players send and a day is run.
 */
const SERVICES = ['user', 'video', 'watch-history', 'advertisement', 'batch', 'gateway'];
const FIRST_DAY: KstDay = addDays(kstDayOf(Date.now()), -3);
const EVENTS = 30_000;

let stack: Stack;
let world: World;
let close: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const { codeDir } = await previousRelease();
  ({ stack, world, close } = await openOwnWorld({
    name: 'upgrade-test',
    portOffset: 8_000,
    codeDir,
    services: SERVICES,
  }));
}, 180_000);

afterAll(() => close?.(), 60_000);

/** Starts a replica of this release, and ends one of the release before when it works.  */
async function replace(appId: string, old: string): Promise<void> {
  const { name, appPort } = await stack.addReplica(appId);
  replaced.set(old, name);
  if (appId === 'gateway') gatewayUrl = `http://127.0.0.1:${appPort}`;
  await stack.removeReplica(old);
}

const replaced = new Map<string, string>();
let gatewayUrl = '';

const ownersOf = async (runId: string) =>
  (
    await world.rows<[string]>(
      "SELECT DISTINCT owner FROM playbill_batch.run_slice WHERE run_id = ? AND state = 'done' ORDER BY owner",
      [runId],
    )
  ).map(([owner]) => owner);

/** The gateway of the release before does not ask again for what has not arrived, as a sidecar ends; its clients do. */
const isOfOldGateway = (failure: string) => / 503 .*The service cannot be reached at the moment/.test(failure);

test('a release replaces the one before it: every call is answered, nothing is lost, nothing is posted twice', async () => {
  const [dayOfOld, dayOfBoth] = [FIRST_DAY, addDays(FIRST_DAY, 1)];
  for (const [i, day] of [dayOfOld, dayOfBoth].entries()) {
    await world.fillDay(day, { events: EVENTS, videos: 500, creators: 50, seed: i + 1 });
  }
  gatewayUrl = world.gatewayUrl;
  const traffic = new Traffic({
    // As the address in front of the gateways, which knows which of them serve.
    get gatewayUrl() {
      return gatewayUrl;
    },
    ingestToken: world.ingestToken,
    videos: await world.videos(100),
    day: dayOfBoth,
    seed: 1,
  });
  traffic.start();
  let report: TrafficReport;
  try {
    // Expand: the release before goes on with the schema and the rights of this one, in the middle of a run.
    const runOfOld = await world.requestRun(dayOfOld);
    await world.slicesDone(runOfOld, 'statistics', 1);
    await stack.migrate();
    expect(await world.waitForRun(runOfOld)).toMatchObject({ state: 'completed' });
    expect(await ownersOf(runOfOld)).toEqual(['batch-1', 'batch-2']);
    // Those first that understand what the new watch-history publishes.
    await Promise.all(['video', 'advertisement'].map((appId) => replace(appId, appId)));
    // Both releases beside each other, in one run.
    await Promise.all([replace('batch', 'batch-1'), replace('watch-history', 'watch-history-1')]);
    await world.replaceStack(stack);
    const runOfBoth = await world.requestRun(dayOfBoth);
    expect(await world.waitForRun(runOfBoth)).toMatchObject({ state: 'completed' });
    expect(await ownersOf(runOfBoth)).toEqual(['batch-2', replaced.get('batch-1')]);
    // The rest.
    await Promise.all([
      replace('batch', 'batch-2'),
      replace('watch-history', 'watch-history-2'),
      replace('user', 'user-1'),
      replace('gateway', 'gateway'),
    ]);
  } finally {
    report = await traffic.stop();
  }
  await world.replaceStack(stack);
  const { problems, storedOnce } = await settleAndJudge(world, { report, day: dayOfBoth });
  const failures = report.failures.filter((failure) => !isOfOldGateway(failure));
  expect({ problems, failures }).toEqual({ problems: [], failures: [] });
  expect(report.failures.length).toBeLessThan(3);
  expect(storedOnce).toBeGreaterThan(1_000);
  for (const day of [dayOfOld, dayOfBoth]) expect((await world.batch.reconciliation(day)).differences).toEqual([]);
}, 240_000);
