import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'mysql2/promise';
import { callGateway, type GatewayAnswer, type SignedIn, signUp } from './support/gateway.js';
import { userClient } from './support/identity.js';
import {
  adCounters,
  adViewsByHand,
  emptyRedis,
  registerVideo,
  type SentStop,
  stopOf,
  storedEvents,
  waitDelivered,
} from './support/ingest.js';
import { adminPool, eventually, stack } from './support/stack.js';

const LENGTH_SECONDS = 1_500;
const ADS = 5;
const SINGLE_CLIENTS = 4;
const BULK_EVENTS = 50;
const RETRY_MS = 200;
const GIVE_UP_MS = 60_000;

let db: Pool;
let creator: SignedIn;
let ingestToken: string;

beforeAll(async () => {
  db = adminPool();
  creator = await eventually(signUp, { what: 'a creator to sign up', deadlineMs: 50_000 });
  const client = { clientId: `faults-${randomUUID().slice(0, 8)}`, scopes: ['ingest'] };
  ingestToken = (await userClient().addClient(client)).token;
}, 60_000);

afterAll(async () => {
  for (const name of ['advertisement', 'advertisement-reserve']) await stack().setAutoRestart(name, true);
  await stack().waitHealthy();
  await db.end();
}, 90_000);

/** What clients know of their events: what was answered 2xx, and what was refused. */
interface Ledger {
  readonly answered: Map<string, string>;
  readonly refused: Set<string>;
  readonly contradictions: string[];
  retries: number;
}

/** Sends the same again until there is an answer that is not the server's trouble: that is what players do. */
async function persist(ledger: Ledger, call: () => Promise<GatewayAnswer>): Promise<GatewayAnswer> {
  const endsAt = Date.now() + GIVE_UP_MS;
  for (;;) {
    const answer = await call().catch(() => undefined);
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) return answer;
    if (Date.now() > endsAt) throw new Error(`no answer for a minute, the last was ${answer?.status ?? 'none'}`);
    ledger.retries += 1;
    await pause(RETRY_MS);
  }
}

function note(ledger: Ledger, eventId: string, reason: string | undefined): void {
  if (reason === undefined) {
    ledger.refused.add(eventId);
    return;
  }
  const before = ledger.answered.get(eventId);
  if (before !== undefined && before !== reason) ledger.contradictions.push(`${eventId}: ${before}, then ${reason}`);
  ledger.answered.set(eventId, reason);
}

/** Players, one of ten stops refused, some repeated though they were answered; and a bulk client. Ends when told to. */
function startTraffic(videoIds: readonly string[]) {
  const ledger: Ledger = { answered: new Map(), refused: new Set(), contradictions: [], retries: 0 };
  let stopped = false;
  const devices = Array.from({ length: 40 }, () => randomUUID());
  const any = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)]!;
  const next = (): SentStop => {
    const bad = Math.random() < 0.1;
    return stopOf(any(videoIds), { adViewCount: bad ? ADS + 1 : Math.floor(Math.random() * (ADS + 1)) });
  };
  const single = async () => {
    while (!stopped) {
      const [device, body] = [any(devices), next()];
      for (let times = Math.random() < 0.2 ? 2 : 1; times > 0; times--) {
        const answer = await persist(ledger, () => callGateway('/v1/video/stop', { device, body }));
        note(ledger, body.eventId, answer.status === 422 ? undefined : answer.body.reason);
      }
      await pause(10);
    }
  };
  const bulk = async () => {
    while (!stopped) {
      const events = Array.from({ length: BULK_EVENTS }, () => ({ ...next(), viewer: `d:${any(devices)}` }));
      const answer = await persist(ledger, () =>
        callGateway('/v1/video/stops', { token: ingestToken, body: { events } }),
      );
      if (answer.status !== 200) throw new Error(`stops: ${answer.status} ${answer.text}`);
      for (const { eventId, reason } of answer.body.results) note(ledger, eventId, reason);
      await pause(100);
    }
  };
  const clients = [...Array.from({ length: SINGLE_CLIENTS }, () => single()), bulk()];
  return {
    ledger,
    async stop(): Promise<Ledger> {
      stopped = true;
      await Promise.all(clients);
      return ledger;
    },
  };
}

/** Every event that was answered 2xx is there exactly once, as it was answered, and no other is. */
async function expectExactlyOnce(ledger: Ledger, videoIds: readonly string[]): Promise<void> {
  expect(ledger.contradictions).toEqual([]);
  const stored = await storedEvents(db, videoIds);
  const hex = (eventId: string) => eventId.replaceAll('-', '');
  expect([...stored.values()].filter(({ copies }) => Number(copies) !== 1)).toEqual([]);
  expect([...stored.keys()].sort()).toEqual([...ledger.answered.keys()].map(hex).sort());
  const REASONS = ['COUNTED', 'SELF_VIEW', 'REPEAT'];
  for (const [eventId, reason] of ledger.answered) expect(REASONS[stored.get(hex(eventId))!.reason]).toBe(reason);
  for (const eventId of ledger.refused) expect(stored.has(hex(eventId))).toBe(false);
}

const newVideos = () => Promise.all([1, 2, 3].map(() => registerVideo(creator.accessToken, LENGTH_SECONDS)));

describe('events that are sent with retries and duplicates are stored exactly once when', () => {
  test.each([
    [
      'a replica of the service is killed, its sidecar, then both',
      ['watch-history-1', 'watch-history-2-daprd', 'watch-history-2'],
    ],
    ['the broker is killed, twice', ['redis', 'redis']],
    ['a database replica is killed', ['mariadb-replica-1']],
    ['the primary is killed', ['mariadb-primary']],
  ] as const)(
    '%s',
    async (_what, victims) => {
      const videoIds = await newVideos();
      const traffic = startTraffic(videoIds);
      for (const victim of victims) {
        await pause(1_500);
        await stack().kill(victim);
      }
      await pause(1_500);
      const ledger = await traffic.stop();
      await stack().waitHealthy();
      expect(ledger.answered.size).toBeGreaterThan(100);
      expect(ledger.refused.size).toBeGreaterThan(0);
      await expectExactlyOnce(ledger, videoIds);
      await waitDelivered(db);
      for (const videoId of videoIds) {
        expect(await adCounters(db, videoId, ADS)).toEqual(await adViewsByHand(db, videoId, ADS));
      }
    },
    120_000,
  );
});

test('killing one replica costs no client an error beyond those in flight on it', async () => {
  const videoId = await registerVideo(creator.accessToken, LENGTH_SECONDS);
  const statuses: number[] = [];
  const send = async () => {
    const answer = await callGateway('/v1/video/stop', { device: randomUUID(), body: stopOf(videoId) });
    statuses.push(answer.status);
  };
  for (let i = 0; i < 10; i++) await send();
  await stack().setAutoRestart('watch-history-1', false);
  try {
    await stack().kill('watch-history-1');
    for (let i = 0; i < 40; i++) await send();
  } finally {
    await stack().setAutoRestart('watch-history-1', true);
    await stack().waitHealthy();
  }
  expect(statuses).toEqual(Array(50).fill(201));
}, 90_000);

test('ad counters equal the sums of the events after an outage of both advertisement services and a broker that lost all', async () => {
  const videoIds = await newVideos();
  for (const name of ['advertisement', 'advertisement-reserve']) {
    await stack().setAutoRestart(name, false);
    await stack().kill(name);
  }
  const traffic = startTraffic(videoIds);
  await pause(4_000);
  const ledger = await traffic.stop();
  // No client has noticed anything.
  expect(ledger.retries).toBe(0);
  const [first] = videoIds;
  expect((await adCounters(db, first!, ADS)).counted).toEqual(Array(ADS).fill(0));
  await emptyRedis();
  for (const name of ['advertisement', 'advertisement-reserve']) await stack().setAutoRestart(name, true);
  await stack().waitHealthy();
  await waitDelivered(db, 90_000);
  await eventually(
    async () => {
      for (const videoId of videoIds) {
        expect(await adCounters(db, videoId, ADS)).toEqual(await adViewsByHand(db, videoId, ADS));
      }
      return true;
    },
    { what: 'the ad counters to equal the events', deadlineMs: 60_000 },
  );
  await expectExactlyOnce(ledger, videoIds);
}, 240_000);
