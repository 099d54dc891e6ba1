import { readdirSync } from 'node:fs';
import type { Connection } from 'mysql2/promise';
import { addDays, type KstDay, kstDayOf } from '#domain';
import { connect, credentialsOf, poll } from '../../deploy/local/stack/index.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { UserClient } from '../../services/ops/adapters/user-client.js';
import { type Answer, quantile, sendAtFixedRate } from './fixed-rate.js';
import {
  BULK_EVENTS,
  countStored,
  EventSource,
  introduceVideos,
  lagSecondsOf,
  load,
  readBulkAnswer,
  readVideos,
  residentMb,
  VIDEOS,
} from './ingest.js';
import { type Bench, type BenchStack, printTable } from './support.js';

const MINUTES = 15;
const DAY_EVENTS = 1_000_000;
const SHARE_OF_MAXIMUM = 0.7;
const MAXIMUM_CALLS_AT_ONCE = 3;
/** The load changes nothing any more by then, and memory that is wanted once has been taken. */
const START_AFTER_SECONDS = 20;
const CATCH_UP_DEADLINE_MS = 600_000;

/**
 * Bulk calls at 70 % of what was measured just before, for a quarter of an hour, with the run of the day before in the
 * middle. Nothing may be lost, and neither memory nor connections may grow.
 */
export const soak: Bench = {
  name: 'soak',
  env: { GATEWAY_ADDRESS_REQUESTS: '1000000', GATEWAY_USER_REQUESTS: '100000' },
  async run(stack, { quick, minutes = quick ? 2 : MINUTES }) {
    const today = kstDayOf(Date.now());
    const yesterday = addDays(today, -1);
    await stack.generate({ day: yesterday, events: quick ? DAY_EVENTS / 10 : DAY_EVENTS, videos: VIDEOS, seed: 1 });
    const source = new EventSource(await readVideos(stack.db));
    const { endpoints, secrets } = stack.stack;
    const { token } = await new UserClient(installationOf(endpoints, secrets)).addClient({
      clientId: 'soak',
      scopes: ['ingest'],
    });
    const soaking = new Soak(stack, { source, token, today, yesterday });
    await introduceVideos(stack, source, token);
    const maximum = await soaking.measureMaximum();
    await soaking.run({ eventsPerSecond: maximum * SHARE_OF_MAXIMUM, durationMs: minutes * 60_000 });
    console.log(`\nThe maximum was ${maximum.toFixed(0)} events/s just before.`);
  },
};

interface Sample {
  readonly name: string;
  /** Resident memory by process, MB. */
  readonly memoryMb: Readonly<Record<string, number>>;
  readonly databaseConnections: number;
  readonly openFiles: number;
  /** Of the database replica that is further behind, s. */
  readonly lagSeconds: number;
}

class Soak {
  readonly #port: number;
  readonly #answers: Answer[] = [];
  readonly #samples: Sample[] = [];
  #accepted = 0;
  #lagSeconds = 0;
  #lagSecondsMax = 0;

  constructor(
    private readonly stack: BenchStack,
    private readonly given: { source: EventSource; token: string; today: KstDay; yesterday: KstDay },
  ) {
    this.#port = Number(new URL(stack.stack.endpoints.gatewayUrl!).port);
  }

  #next() {
    const { source, token } = this.given;
    const body = source.bulk(BULK_EVENTS);
    return { path: '/v1/video/stops', body, headers: { authorization: `Bearer ${token}` } };
  }

  /** @returns events a second that a few clients get through, each sending the next call after the answer */
  async measureMaximum(): Promise<number> {
    let accepted = 0;
    const targets = [{ port: this.#port, headers: {} }];
    const bulk = (durationMs: number) =>
      load({ targets, durationMs, atOnce: MAXIMUM_CALLS_AT_ONCE }, async (post) => {
        const { path, body, headers } = this.#next();
        const { status, text } = await post(path, body, headers);
        if (status !== 200) throw new Error(`stops: ${status} ${text.slice(0, 300)}`);
        accepted += readBulkAnswer(text).accepted;
      });
    await bulk(5_000);
    accepted = 0;
    const { seconds } = await bulk(20_000);
    return accepted / seconds;
  }

  async run({ eventsPerSecond, durationMs }: { eventsPerSecond: number; durationMs: number }): Promise<void> {
    const storedBefore = await countStored(this.stack.db, this.given.today);
    const watching = await this.#watchLag();
    const [replicas, end] = [watching.connections, watching.end];
    const takeSample = async (name: string) => void this.#samples.push(await this.#sample(name, replicas));
    const loading = sendAtFixedRate({
      port: this.#port,
      callsPerSecond: eventsPerSecond / BULK_EVENTS,
      durationMs,
      next: () => this.#next(),
      onAnswer: (answer) => this.#note(answer),
      isPatient: true,
    });
    await seconds(START_AFTER_SECONDS);
    await takeSample('start');
    await seconds(durationMs / 2_000 - START_AFTER_SECONDS);
    const runStartedMs = performance.now();
    const run = await this.stack.runDay(this.given.yesterday);
    const runSeconds = (performance.now() - runStartedMs) / 1_000;
    await takeSample('middle, after the run');
    await loading;
    await takeSample('end');
    await end();
    const caughtUpMs = performance.now();
    // What was measured is shown also when the replicas have been left behind.
    this.#print({ eventsPerSecond, durationMs, runSeconds });
    await poll(() => this.stack.replicasCaughtUp().then(() => true as const), {
      what: 'the replicas to catch up',
      deadlineMs: CATCH_UP_DEADLINE_MS,
    });
    console.log(`\nThe replicas had caught up after ${((performance.now() - caughtUpMs) / 1_000).toFixed(1)} s.`);
    const failed = this.#answers.filter(({ status }) => status !== 200);
    if (failed.length > 0) throw new Error(`${failed.length} calls failed: ${JSON.stringify(failed[0])}`);
    if (run.state !== 'completed') throw new Error(`the run of the day is ${run.state}: ${run.error}`);
    const stored = (await countStored(this.stack.db, this.given.today)) - storedBefore;
    if (stored !== this.#accepted) throw new Error(`${stored} events stored of ${this.#accepted} that were accepted`);
    console.log(`\n${stored.toLocaleString('en-US')} events were accepted, and exactly these are stored.`);
  }

  #note(answer: Answer): void {
    const { text, ...rest } = answer;
    this.#answers.push({ ...rest, text: '' });
    if (answer.status === 200) this.#accepted += readBulkAnswer(text).accepted;
  }

  async #watchLag(): Promise<{ connections: Connection[]; end: () => Promise<void> }> {
    const { endpoints, secrets } = this.stack.stack;
    const servers = [endpoints.primary, ...endpoints.replicas.map(({ endpoint }) => endpoint)];
    const connections = await Promise.all(servers.map((server) => connect(server, credentialsOf(secrets, 'admin'))));
    const timer = setInterval(async () => {
      this.#lagSeconds = Math.max(...(await Promise.all(connections.slice(1).map(lagSecondsOf))));
      this.#lagSecondsMax = Math.max(this.#lagSecondsMax, this.#lagSeconds);
    }, 1_000);
    const end = async () => {
      clearInterval(timer);
      await Promise.all(connections.map((connection) => connection.end()));
    };
    return { connections, end };
  }

  async #sample(name: string, servers: readonly Connection[]): Promise<Sample> {
    const { stack } = this.stack;
    const memoryMb: Record<string, number> = {};
    let openFiles = 0;
    for (const process of stack.processNames()) {
      const pid = stack.pidOf(process)!;
      memoryMb[process] = residentMb(pid);
      openFiles += readdirSync(`/proc/${pid}/fd`).length;
    }
    let databaseConnections = 0;
    for (const server of servers) {
      const [rows] = await server.query("SHOW GLOBAL STATUS LIKE 'Threads_connected'");
      databaseConnections += Number((rows as { Value: string }[])[0]!.Value);
    }
    return { name, memoryMb, databaseConnections, openFiles, lagSeconds: this.#lagSeconds };
  }

  #print(run: { eventsPerSecond: number; durationMs: number; runSeconds: number }): void {
    const thirds = [0, 1, 2].map((third) => {
      const from = (run.durationMs / 3_000) * third;
      return this.#answers.filter(({ dueSeconds }) => dueSeconds >= from && dueSeconds < from + run.durationMs / 3_000);
    });
    printTable(
      ['bulk calls', 'events/s', 'calls', 'failed', 'refused for now', 'p50 ms', 'p99 ms', 'longest ms'],
      [['all', this.#answers] as const, ...thirds.map((part, i) => [`third ${i + 1}`, part] as const)].map(
        ([name, answers]) => {
          const times = answers.map(({ tookMs }) => tookMs);
          return [
            name,
            run.eventsPerSecond.toFixed(0),
            String(answers.length),
            String(answers.filter(({ status }) => status !== 200).length),
            String(answers.reduce((sum, { refusals }) => sum + refusals, 0)),
            quantile(times, 0.5).toFixed(0),
            quantile(times, 0.99).toFixed(0),
            quantile(times, 1).toFixed(0),
          ];
        },
      ),
    );
    printTable(['the day’s run s', 'replica lag, most s'], [[run.runSeconds.toFixed(1), String(this.#lagSecondsMax)]]);
    const names = Object.keys(this.#samples[0]!.memoryMb);
    printTable(
      ['', ...this.#samples.map(({ name }) => name)],
      [
        ...names.map((name) => [`${name}, MB`, ...this.#samples.map(({ memoryMb }) => memoryMb[name]!.toFixed(0))]),
        ['connections to the databases', ...this.#samples.map((sample) => String(sample.databaseConnections))],
        ['replica lag, s', ...this.#samples.map((sample) => String(sample.lagSeconds))],
        ['open files and sockets', ...this.#samples.map((sample) => String(sample.openFiles))],
      ],
    );
  }
}

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1_000));
