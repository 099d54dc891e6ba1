import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import type { Connection } from 'mysql2/promise';
import { adsOf, type KstDay, kstDayOf } from '#domain';
import { connect, credentialsOf } from '../../deploy/local/stack/index.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { UserClient } from '../../services/ops/adapters/user-client.js';
import { quantile, send } from './fixed-rate.js';
import { cpuByProcess, printCpu } from './processor-time.js';
import { type Bench, type BenchStack, printTable } from './support.js';

export const VIDEOS = 100_000;
const POPULAR_VIDEOS = 300;
const DEVICES = 200_000;
export const BULK_EVENTS = 1_000;
const BULK_CALLS_AT_ONCE = 4;
/** Bulk calls a second for which bodies are made beforehand. */
const PREPARED_A_SECOND = 25;
const SINGLE_CALLS_AT_ONCE = 16;
/** Of a hundred events, so many are watched again by the viewer of one of the last, and so many are sent again. */
const REPEATS_PERCENT = 5;
const DUPLICATES_PERCENT = 1;
const REPLICAS = ['watch-history-1', 'watch-history-2'];

interface Video {
  readonly videoId: string;
  readonly lengthSeconds: number;
}

export interface Target {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Measured {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Stops one by one through the gateway, and by the same handler without gateway and sidecars; then bulk calls through
 * the gateway for a minute: durable on the primary, deduplicated, applied by both replicas, delivered to the
 * advertisement service and the live counters, all on this machine together with the load.
 */
export const ingest: Bench = {
  name: 'ingest',
  // Everything comes from one address and one client here.
  env: { GATEWAY_ADDRESS_REQUESTS: '1000000', GATEWAY_USER_REQUESTS: '100000' },
  async run(stack, options) {
    const today = kstDayOf(Date.now());
    await stack.generate({ day: today, events: 1_000, videos: VIDEOS, seed: 1 });
    const videos = await readVideos(stack.db);
    const source = new EventSource(videos);
    // Videos that the service knows after the warm-up; bulk calls begin with their own.
    await measureSingles(stack, new EventSource(videos.slice(0, POPULAR_VIDEOS)), options.quick ? 3_000 : 20_000);
    await measureBulk(stack, source, { durationMs: options.quick ? 10_000 : 60_000, today });
  },
};

export async function readVideos(db: Connection): Promise<Video[]> {
  const [rows] = await db.query({
    sql: 'SELECT video_id, length_seconds FROM playbill_video.video',
    rowsAsArray: true,
  });
  return (rows as [string, number][]).map(([videoId, length]) => ({ videoId: String(videoId), lengthSeconds: length }));
}

async function measureSingles(stack: BenchStack, source: EventSource, durationMs: number): Promise<void> {
  const { endpoints, secrets } = stack.stack;
  const gateway: Target = { port: Number(new URL(endpoints.gatewayUrl!).port), headers: {} };
  const sidecarToken = { 'dapr-api-token': secrets['app-api-token']!.token! };
  const direct = endpoints.apps['watch-history']!.map(({ appPort }) => ({ port: appPort, headers: sidecarToken }));
  const results: [string, Measured][] = [];
  for (const [name, targets] of [
    ['warm-up', [gateway]],
    ['gateway', [gateway]],
    ['handler', direct],
  ] as const) {
    const ms = name === 'warm-up' ? durationMs / 4 : durationMs;
    const cpuBefore = cpuByProcess(stack);
    const measured = await load({ targets, durationMs: ms, atOnce: SINGLE_CALLS_AT_ONCE }, async (post) => {
      const { viewer, ...event } = source.next();
      const { status } = await post('/v1/video/stop', JSON.stringify(event), { 'x-device-uuid': viewer.slice(2) });
      if (status !== 201 && status !== 200) throw new Error(`stop: ${status}`);
    });
    if (name !== 'warm-up') results.push([name, measured]);
    if (name === 'gateway') printCpu(stack, { before: cpuBefore, items: measured.calls, item: 'call' });
  }
  printTable(
    [`single stops, ${SINGLE_CALLS_AT_ONCE} at once`, 'calls/s', 'p50 ms', 'p99 ms'],
    results.map(([name, { calls, seconds, p50Ms, p99Ms }]) => [
      name === 'gateway' ? 'gateway, sidecars, handler' : 'handler alone',
      (calls / seconds).toFixed(0),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
    ]),
  );
}

export interface BulkAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/** Reads what an answer begins with; what became of each event is left, or the load would be its reader above all. */
export function readBulkAnswer(text: string): BulkAnswer {
  const end = text.indexOf(',"results":');
  return JSON.parse(end < 0 ? text : `${text.slice(0, end)}}`) as BulkAnswer;
}

async function measureBulk(stack: BenchStack, source: EventSource, options: { durationMs: number; today: KstDay }) {
  const { endpoints, secrets } = stack.stack;
  const users = new UserClient(installationOf(endpoints, secrets));
  const { token } = await users.addClient({ clientId: 'bench', scopes: ['ingest'] });
  const targets = [
    { port: Number(new URL(endpoints.gatewayUrl!).port), headers: { authorization: `Bearer ${token}` } },
  ];
  const sums = { accepted: 0, duplicates: 0, rejected: 0 };
  const bulk = (durationMs: number, prepared: Buffer[] = []) =>
    load({ targets, durationMs, atOnce: BULK_CALLS_AT_ONCE }, async (post) => {
      const { status, text } = await post('/v1/video/stops', prepared.pop() ?? source.bulk(BULK_EVENTS), {});
      if (status !== 200) throw new Error(`stops: ${status} ${text.slice(0, 300)}`);
      const answer = readBulkAnswer(text);
      for (const key of ['accepted', 'duplicates', 'rejected'] as const) sums[key] += answer[key];
    });
  await introduceVideos(stack, source, token);
  await bulk(options.durationMs / 6);
  // Players are elsewhere: making their events shall cost nothing here while it is measured.
  const count = (PREPARED_A_SECOND * options.durationMs) / 1_000;
  const prepared = Array.from({ length: count }, () => Buffer.from(source.bulk(BULK_EVENTS))).reverse();
  const before = { ...sums, stored: await countStored(stack.db, options.today) };
  const watch = await watchStack(stack);
  const cpuBefore = cpuByProcess(stack);
  const measured = await bulk(options.durationMs, prepared);
  const cpuAfter = cpuByProcess(stack);
  const { lagSecondsMax, memoryMb } = await watch.stop();
  const accepted = sums.accepted - before.accepted;
  const stored = (await countStored(stack.db, options.today)) - before.stored;
  if (stored !== accepted) throw new Error(`${stored} events stored of ${accepted} that were accepted`);
  const catchUpMs = performance.now();
  await stack.replicasCaughtUp();
  const caughtUpSeconds = (performance.now() - catchUpMs) / 1_000;
  printTable(
    ['bulk calls of 1,000', 'events/s', 'p50 ms', 'p99 ms', 'duplicates', 'rejected', 'lag max s', 'caught up s'],
    [
      [
        `${BULK_CALLS_AT_ONCE} at once, ${measured.seconds.toFixed(0)} s`,
        (accepted / measured.seconds).toFixed(0),
        measured.p50Ms.toFixed(0),
        measured.p99Ms.toFixed(0),
        String(sums.duplicates - before.duplicates),
        String(sums.rejected - before.rejected),
        String(lagSecondsMax),
        caughtUpSeconds.toFixed(1),
      ],
    ],
  );
  printTable(
    ['memory of a replica, MB', 'first', 'middle', 'last'],
    REPLICAS.map((name, i) => [name, ...memoryMb.map((sample) => sample[i]!.toFixed(0))]),
  );
  printCpu(stack, { before: cpuBefore, after: cpuAfter, items: accepted, item: 'event' });
}

/** Each replica comes to know every video, as it does within its first minutes of a day. */
export async function introduceVideos(stack: BenchStack, source: EventSource, token: string): Promise<void> {
  const { endpoints, secrets } = stack.stack;
  const headers = { 'dapr-api-token': secrets['app-api-token']!.token!, authorization: `Bearer ${token}` };
  const agent = new Agent({ keepAlive: true });
  const replicas = endpoints.apps['watch-history']!.map(({ appPort }) => ({ port: appPort, headers }));
  await Promise.all(
    replicas.map(async (target) => {
      for (let at = 0; at < VIDEOS; at += BULK_EVENTS) {
        const body = JSON.stringify({ events: source.eachOf(at, at + BULK_EVENTS) });
        const call = { path: '/v1/video/stops', body, headers: target.headers };
        const { status, text } = await send({ agent, port: target.port, call });
        if (status !== 200) throw new Error(`stops: ${status} ${text.slice(0, 300)}`);
      }
    }),
  );
  agent.destroy();
}

export async function countStored(db: Connection, day: KstDay): Promise<number> {
  const [rows] = await db.query('SELECT COUNT(*) AS n FROM playbill_watch.watch_event WHERE day >= ?', [day]);
  return Number((rows as { n: number }[])[0]!.n);
}

/** Samples the lag of the database replicas and the memory of the service's while the load is on. */
async function watchStack(stack: BenchStack) {
  const { endpoints, secrets } = stack.stack;
  const replicas = await Promise.all(
    endpoints.replicas.map(({ endpoint }) => connect(endpoint, credentialsOf(secrets, 'admin'))),
  );
  let lagSecondsMax = 0;
  const memory: number[][] = [];
  const timer = setInterval(async () => {
    memory.push(REPLICAS.map((name) => residentMb(stack.stack.pidOf(name)!)));
    for (const replica of replicas) {
      lagSecondsMax = Math.max(lagSecondsMax, await lagSecondsOf(replica));
    }
  }, 1_000);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(replicas.map((replica) => replica.end()));
      return { lagSecondsMax, memoryMb: [memory[0]!, memory[memory.length >> 1]!, memory.at(-1)!] };
    },
  };
}

/** How far a database replica is behind by its own account, in seconds; 999 while it does not follow. */
export async function lagSecondsOf(replica: Connection): Promise<number> {
  const [rows] = await replica.query('SHOW SLAVE STATUS');
  return Number((rows as { Seconds_Behind_Master: number | null }[])[0]!.Seconds_Behind_Master ?? 999);
}

export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

type Post = (
  path: string,
  body: string | Buffer | undefined,
  headers: Record<string, string>,
) => Promise<{ status: number; text: string }>;

/** Calls `once` again and again, so many at once, for that long. */
export async function load(
  options: { targets: readonly Target[]; durationMs: number; atOnce: number },
  once: (post: Post) => Promise<void>,
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true });
  const tookMs: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + options.durationMs;
  const client = async (number: number) => {
    for (let call = number; performance.now() < endMs; call++) {
      const target = options.targets[call % options.targets.length]!;
      await once(async (path, body, headers) => {
        const sentMs = performance.now();
        const call = { path, body, headers: { ...target.headers, ...headers } };
        const answer = await send({ agent, port: target.port, call });
        tookMs.push(performance.now() - sentMs);
        return answer;
      });
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, (_, number) => client(number)));
  agent.destroy();
  return {
    calls: tookMs.length,
    seconds: (performance.now() - startMs) / 1_000,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
  };
}

interface PlayerEvent {
  readonly videoId: string;
  readonly viewer: string;
  readonly playedTime: number;
  readonly lastWatched: number;
  readonly adViewCount: number;
  readonly eventId: string;
  readonly watchedAt: string;
}

/** No field holds what JSON would have to escape. */
function jsonOf(event: PlayerEvent): string {
  const { videoId, viewer, playedTime, lastWatched, adViewCount, eventId, watchedAt } = event;
  return `{"videoId":"${videoId}","viewer":"${viewer}","playedTime":${playedTime},"lastWatched":${lastWatched},"adViewCount":${adViewCount},"eventId":"${eventId}","watchedAt":"${watchedAt}"}`;
}

let latestInstant = { ms: Number.NaN, text: '' };

/** Many events are made within a millisecond. */
function instantOf(ms: number): string {
  if (latestInstant.ms !== ms) latestInstant = { ms, text: new Date(ms).toISOString() };
  return latestInstant.text;
}

/** Makes events as players send them: popular videos more often, some viewers again, some events again. */
export class EventSource {
  readonly #devices = Array.from({ length: DEVICES }, () => `d:${randomUUID()}`);
  readonly #recent: PlayerEvent[] = [];
  #at = 0;

  constructor(private readonly videos: readonly Video[]) {}

  /** An event of each of these videos. */
  eachOf(from: number, to: number) {
    return this.videos.slice(from, to).map((video) => this.#eventOf(video));
  }

  /** The body of a bulk call. Its text is made by hand, at half the cost: the load runs beside what it measures. */
  bulk(count: number): string {
    return `{"events":[${Array.from({ length: count }, () => jsonOf(this.next())).join(',')}]}`;
  }

  next(): PlayerEvent {
    const chance = Math.random() * 100;
    const earlier = this.#recent[Math.floor(Math.random() * this.#recent.length)];
    if (earlier !== undefined && chance < DUPLICATES_PERCENT) return earlier;
    const isRepeat = earlier !== undefined && chance < DUPLICATES_PERCENT + REPEATS_PERCENT;
    const video = isRepeat
      ? { videoId: earlier.videoId, lengthSeconds: 0 }
      : this.videos[Math.floor(Math.random() ** 3 * this.videos.length)]!;
    const event = this.#eventOf(video, isRepeat ? earlier.viewer : this.#device());
    this.#recent[this.#at++ % 5_000] = event;
    return event;
  }

  #eventOf({ videoId, lengthSeconds }: Video, viewer = this.#device()): PlayerEvent {
    const played = Math.floor(Math.random() * lengthSeconds);
    return {
      videoId,
      viewer,
      playedTime: played,
      lastWatched: played,
      adViewCount: Math.min(Math.floor(played / 300), adsOf(lengthSeconds)),
      eventId: eventId(),
      watchedAt: instantOf(Date.now()),
    };
  }

  #device(): string {
    return this.#devices[Math.floor(Math.random() * this.#devices.length)]!;
  }
}

const RANDOM_BYTES = 16_384;
let random = '';

/** A UUID v7 of now. Random bits are fetched in stock: one by one they would be half of the load's processor time. */
function eventId(): string {
  if (random.length < 20) random = randomBytes(RANDOM_BYTES).toString('hex');
  const rest = random.slice(-20);
  random = random.slice(0, -20);
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}
