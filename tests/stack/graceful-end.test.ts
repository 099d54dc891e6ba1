import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { addDays, type KstDay, kstDayOf } from '#domain';
import { type ProcessEnd, ROOT_DIR, type Stack, startStack } from '../../deploy/local/stack/index.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { UserClient } from '../../services/ops/adapters/user-client.js';
import { ingestTokenOf } from '../chaos/clients.js';
import { untilAdsCounted } from '../chaos/play.js';
import { Traffic, type TrafficReport } from '../chaos/traffic.js';
import { judgeBooks, judgeEvents } from '../chaos/verdict.js';
import { World } from '../chaos/world.js';
import { Members, type MembersReport } from './support/members.js';
import { type SmtpSink, startSmtpSink } from './support/smtp-sink.js';

/**
 * What docs/operations.md promises of an end: every process that is told to ends by itself, and no client notices. One
 * more replica of each service is started before one is ended, as Kubernetes does it, on a stack of the test's own.
 */
const STATE_DIR = join(ROOT_DIR, '.local', 'graceful-end-test');
const PORT_OFFSET = 6_000 + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);
const DAY: KstDay = addDays(kstDayOf(Date.now()), -3);
const EVENTS = 300_000;
/** What every process that is told to end has (docker-compose.yml: stop_grace_period). */
const GRACE_MS = 20_000;

let stack: Stack;
let world: World;
let sink: SmtpSink & { readonly port: number };
let gatewayUrl = '';

beforeAll(async () => {
  await rm(STATE_DIR, { recursive: true, force: true });
  sink = await startSmtpSink(0);
  stack = await startStack({
    stateDir: STATE_DIR,
    portOffset: PORT_OFFSET,
    fresh: true,
    env: {
      PLAYBILL_DB_LOG_SIZE: '128M',
      PLAYBILL_SMTP: `127.0.0.1:${sink.port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
    },
  });
  world = new World(stack, await ingestTokenOf(stack), { sink });
  gatewayUrl = world.gatewayUrl;
}, 180_000);

afterAll(async () => {
  await world?.close();
  await stack?.stop();
  await sink?.close();
  await rm(STATE_DIR, { recursive: true, force: true });
}, 60_000);

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
  // As the address in front of the gateways, which knows which of them serve.
  const target = {
    get gatewayUrl() {
      return gatewayUrl;
    },
  };
  const traffic = new Traffic({
    get gatewayUrl() {
      return gatewayUrl;
    },
    ingestToken: world.ingestToken,
    videos: await world.videos(100),
    day: DAY,
    seed: 1,
  });
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
  const bad = ends.filter(({ code, signal, tookMs }) => code !== 0 || signal !== null || tookMs >= GRACE_MS);
  expect(bad).toEqual([]);
  expect(ends).toHaveLength(2 * 9);
  expect({ calls: report.failures, ofMembers: ofMembers.failures }).toEqual({ calls: [], ofMembers: [] });
  expect(report.calls).toBeGreaterThan(300);
  for (const calls of Object.values(ofMembers.calls)) expect(calls).toBeGreaterThan(20);
  await world.replaceStack(stack);
  await world.settle(DAY);
  const verdict = await judgeEvents(world.db, report.events);
  const problems = [...report.contradictions, ...verdict.problems, ...(await judgeBooks(world.db, DAY))];
  problems.push(...(await untilAdsCounted(world)));
  expect(problems).toEqual([]);
}, 240_000);
