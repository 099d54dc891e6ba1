import { addDays, type KstDay, kstDayOf } from '#domain';
import type { ProcessEnd, Stack } from '../../deploy/local/stack/index.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { UserClient } from '../../services/ops/adapters/user-client.js';
import { settleAndJudge } from '../chaos/play.js';
import { Traffic, type TrafficReport } from '../chaos/traffic.js';
import type { World } from '../chaos/world.js';
import { badEnds } from './support/ends.js';
import { Members, type MembersReport } from './support/members.js';
import { openOwnWorld } from './support/own-world.js';

/**
 * What docs/operations.md promises of an end: every process that is told to ends by itself, and no client notices. One
 * more replica of each service is started before one is ended, as Kubernetes does it, on a stack of the test's own.
 */
const DAY: KstDay = addDays(kstDayOf(Date.now()), -3);
const EVENTS = 300_000;
let stack: Stack;
let world: World;
let close: (() => Promise<void>) | undefined;
let gatewayUrl = '';

beforeAll(async () => {
  ({ stack, world, close } = await openOwnWorld({ name: 'graceful-end-test', portOffset: 6_000 }));
  gatewayUrl = world.gatewayUrl;
}, 180_000);

afterAll(() => close?.(), 60_000);

type Replicas = readonly (readonly [appId: string, old: string])[];

/**
 * Starts one more of each, and ends the old ones when those work.
 * @param between done before anything is ended
 * @returns how the old ones ended
 */
async function replace(replicas: Replicas, between?: () => Promise<unknown>): Promise<ProcessEnd[]> {
  await Promise.all(
    replicas.map(async ([appId]) => {
      const { appPort } = await stack.addReplica(appId);
      if (appId === 'gateway') gatewayUrl = `http://127.0.0.1:${appPort}`;
    }),
  );
  await between?.();
  return (await Promise.all(replicas.map(([, old]) => stack.removeReplica(old)))).flat();
}

/** Follows a run as batch-1 tells it. @returns the state that it told last, when the stream has come to its end */
async function followRun(runId: string): Promise<string | undefined> {
  const { endpoints, secrets } = stack;
  const token = await new UserClient(installationOf(endpoints, secrets)).operatorToken();
  const port = endpoints.apps.batch?.find(({ name }) => name === 'batch-1')?.sidecarHttpPort;
  const response = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/batch/method/v1/ops/runs/${runId}/events`, {
    headers: {
      'dapr-api-token': endpoints.daprApiToken,
      authorization: `Bearer ${token}`,
      accept: 'text/event-stream',
    },
  });
  return [...(await response.text()).matchAll(/^event: (\w+)$/gm)].at(-1)?.[1];
}

test('each service and sidecar that is told to end does so by itself, and every call is answered', async () => {
  await world.fillDay(DAY, { events: EVENTS, videos: 500, creators: 50, seed: 1 });
  const target = {
    // As the address in front of the gateways, which knows which of them serve.
    get gatewayUrl() {
      return gatewayUrl;
    },
    ingestToken: world.ingestToken,
    videos: await world.videos(100),
    day: DAY,
    seed: 1,
  };
  const traffic = new Traffic(target);
  const members = await Members.signUp(target);
  traffic.start();
  members.start();
  const ends: ProcessEnd[] = [];
  let report: TrafficReport;
  let ofMembers: MembersReport;
  try {
    let runId = '';
    let toldLast: Promise<string | undefined> | undefined;
    const inTheMiddleOfARun = async () => {
      runId = await world.requestRun(DAY);
      await world.slicesDone(runId, 'statistics', 1);
      toldLast = followRun(runId);
    };
    const replicas: Replicas = [
      ['batch', 'batch-1'],
      ['watch-history', 'watch-history-1'],
    ];
    ends.push(...(await replace(replicas, inTheMiddleOfARun)));
    expect(await toldLast).toBe('running');
    await world.replaceStack(stack);
    expect(await world.waitForRun(runId)).toMatchObject({ state: 'completed' });
    ends.push(
      ...(await replace([
        ['user', 'user-1'],
        ['video', 'video'],
        ['video-info', 'video-info-2'],
      ])),
      ...(await replace([
        ['advertisement', 'advertisement'],
        ['advertisement-reserve', 'advertisement-reserve'],
        ['report', 'report'],
        ['gateway', 'gateway'],
      ])),
    );
  } finally {
    [report, ofMembers] = await Promise.all([traffic.stop(), members.stop()]);
  }
  expect(badEnds(ends)).toEqual([]);
  expect(ends).toHaveLength(2 * 9);
  expect({ calls: report.failures, ofMembers: ofMembers.failures }).toEqual({ calls: [], ofMembers: [] });
  expect(report.calls).toBeGreaterThan(300);
  for (const calls of Object.values(ofMembers.calls)) expect(calls).toBeGreaterThan(20);
  await world.replaceStack(stack);
  const { problems } = await settleAndJudge(world, { report, day: DAY });
  expect(problems).toEqual([]);
}, 240_000);
