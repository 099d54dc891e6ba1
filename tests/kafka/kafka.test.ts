import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'mysql2/promise';
import { forgetEverything, runDay } from '../stack/support/batch.js';
import { callGateway, signUp } from '../stack/support/gateway.js';
import {
  adCounters,
  adViewsByHand,
  registerVideo,
  stopOf,
  storedEvents,
  waitDelivered,
} from '../stack/support/ingest.js';
import { adminPool, eventually, generate, stack } from '../stack/support/stack.js';
import { type Broker, groupProgress } from './broker.js';
import { BROKER_FILE } from './support.js';

const DAY = '2026-11-01';
const ADS = 3;
const LENGTH_SECONDS = ADS * 300;
const STOPS = 60;

type KnownBroker = Pick<Broker, 'address' | 'classPath' | 'clientSettingsFile'> & { readonly runDir: string };

let broker: KnownBroker;
let db: Pool;
let videoId: string;

beforeAll(async () => {
  broker = JSON.parse(readFileSync(BROKER_FILE, 'utf8')) as KnownBroker;
  await forgetEverything();
  db = adminPool();
  const creator = await signUp();
  videoId = await registerVideo(creator.accessToken, LENGTH_SECONDS);
});

afterAll(() => db.end());

/** @returns statuses of the answers */
async function sendStops(count: number): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let i = 0; i < count; i++) {
    const body = stopOf(videoId, { adViewCount: (i % ADS) + 1 });
    statuses.add((await callGateway('/v1/video/stop', { device: randomUUID(), body })).status);
  }
  return statuses;
}

const progressOf = async (group: string, topic: string) =>
  (await groupProgress(broker)).find((one) => one.group === group && one.topic === topic);

/** Waits until a group has taken `count` messages of a topic and none waits. */
const untilTaken = (group: string, topic: string, count: number) =>
  eventually(
    async () => {
      const progress = await progressOf(group, topic);
      if (progress !== undefined && progress.taken >= count && progress.lag === 0) return progress;
      throw new Error(`it is at ${JSON.stringify(progress)}`);
    },
    { what: `${group} to have taken ${count} of ${topic}`, deadlineMs: 60_000, intervalMs: 500 },
  );

async function expectAdsCounted(): Promise<void> {
  await waitDelivered(db);
  await eventually(
    async () => {
      expect(await adCounters(db, videoId, ADS)).toEqual(await adViewsByHand(db, videoId, ADS));
      return true;
    },
    { what: 'the ad counters to be the sums of the events', deadlineMs: 60_000 },
  );
}

/** Who publishes or reads. */
const USERS = ['advertisement', 'batch', 'report', 'video', 'video-info', 'watch-history'];

test('every sidecar that has a broker has Kafka', async () => {
  const { apps, daprApiToken } = stack().endpoints;
  const sidecars = Object.entries(apps).flatMap(([appId, replicas]) => replicas.map((one) => ({ appId, ...one })));
  for (const { appId, name, sidecarHttpPort } of sidecars) {
    const url = `http://127.0.0.1:${sidecarHttpPort}/v1.0/metadata`;
    const response = await fetch(url, { headers: { 'dapr-api-token': daprApiToken } });
    const { components } = (await response.json()) as { components: { name: string; type: string }[] };
    const brokers = components.filter(({ type }) => type.startsWith('pubsub.')).map(({ type }) => type);
    expect([name, brokers]).toEqual([name, USERS.includes(appId) ? ['pubsub.kafka'] : []]);
  }
});

test('what a run has completed reaches those who read', async () => {
  await generate({ day: DAY, events: 5_000, videos: 200, seed: 3 });
  expect(await runDay(DAY)).toMatchObject({ state: 'completed' });
  await untilTaken('video-info', 'statistics.completed', 1);
  await untilTaken('video-info', 'settlement.completed', 1);
});

test('recordings reach every group that wants them', async () => {
  expect([...(await sendStops(STOPS))]).toEqual([201]);
  await expectAdsCounted();
  for (const group of ['advertisement', 'video']) await untilTaken(group, 'watch.recorded', 1);
}, 180_000);

/** Sends a stop and waits until the group has its recording. */
async function expectGoesOn(group: string): Promise<void> {
  const { taken } = (await progressOf(group, 'watch.recorded')) ?? { taken: 0 };
  await sendStops(1);
  await untilTaken(group, 'watch.recorded', taken + 1);
}

test('ad views are counted once when both advertisement services were away; their sidecars go on after a restart', async () => {
  for (const name of ['advertisement', 'advertisement-reserve']) {
    await stack().setAutoRestart(name, false);
    await stack().kill(name);
  }
  expect([...(await sendStops(STOPS))]).toEqual([201]);
  for (const name of ['advertisement', 'advertisement-reserve']) await stack().setAutoRestart(name, true);
  await stack().waitHealthy();
  await expectAdsCounted();
  // What docs/operations.md says to do: a sidecar may have lost its subscription while its app was away.
  for (const name of ['advertisement', 'advertisement-reserve']) await stack().restart(`${name}-daprd`);
  await stack().waitHealthy();
  await expectGoesOn('advertisement');
}, 240_000);

test('a kill of the broker costs no client an error, and nothing is lost or counted twice', async () => {
  const before = (await storedEvents(db, [videoId])).size;
  const record = join(broker.runDir, 'kafka.json');
  const { pid } = JSON.parse(readFileSync(record, 'utf8')) as { pid: number };
  const sending = sendStops(3 * STOPS);
  process.kill(pid, 'SIGKILL');
  expect([...(await sending)]).toEqual([201]);
  expect((await storedEvents(db, [videoId])).size).toBe(before + 3 * STOPS);
  await expectAdsCounted();
  for (const group of ['advertisement', 'video']) await expectGoesOn(group);
}, 240_000);
