import { rm } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import type { Connection } from 'mysql2/promise';
import type { KstDay } from '#domain';
import { connect, credentialsOf, type Stack, startStack } from '../../deploy/local/stack/index.js';
import { Checklist } from '../../deploy/local/ui.js';
import { batchClientOf, type RunView } from '../../services/ops/adapters/batch-client.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { generate } from '../../services/ops/generator/generate.js';
import { runDay } from '../../services/ops/run-view.js';
import { formatTable } from '../../services/ops/tables.js';
import { skipSchedule } from '../support/schedule.js';

/** A benchmark of `npm run bench -- <name>`: it prints ratios that were measured in one run. */
export interface Bench {
  readonly name: string;
  /** False for one that measures something by itself: its stack is not there then. */
  readonly needsStack?: boolean;
  /** Settings of the services that it needs. */
  readonly env?: NodeJS.ProcessEnv;
  run(stack: BenchStack, options: BenchOptions): Promise<void>;
}

export interface BenchOptions {
  /** The smallest size only, to see that the benchmark works. */
  readonly quick: boolean;
  /** How long to go on, for a benchmark that is told. */
  readonly minutes?: number;
}

/** What benchmarks do to a stack of their own, whose databases were empty at first. */
export interface BenchStack {
  readonly stack: Stack;
  /** A connection to the primary that may do everything. */
  readonly db: Connection;
  /** Makes events of a day; returns how fast they were on the primary and on the replicas. */
  generate(options: { day: KstDay; events: number; videos: number; seed: number }): ReturnType<typeof generate>;
  /** Runs a day with its progress shown, and waits for its end. */
  runDay(day: KstDay): Promise<RunView>;
  /** Waits until both replicas have everything that is committed. */
  replicasCaughtUp(): Promise<void>;
  batchPids(): number[];
}

const BENCH_PORT_OFFSET = 7_000;

/** Starts a stack with empty databases, hands it to `work`, and ends it. */
export async function withBenchStack(
  work: (stack: BenchStack) => Promise<void>,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const checklist = new Checklist();
  const portOffset = BENCH_PORT_OFFSET + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);
  const stack = await startStack({ stateDir: '.local/bench', portOffset, fresh: true, env, step: checklist.step });
  const end = () => void stack.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    const db = await connect(stack.endpoints.primary, credentialsOf(stack.secrets, 'admin'));
    await skipSchedule(db);
    await work(benchStack(stack, db));
    await db.end();
  } finally {
    await stack.stop();
    // Its databases are many gigabytes.
    await rm(stack.layout.stateDir, { recursive: true, force: true });
  }
}

function benchStack(stack: Stack, db: Connection): BenchStack {
  const installation = installationOf(stack.endpoints, stack.secrets);
  return {
    stack,
    db,
    async generate({ day, events, videos, seed }) {
      const database = await openOperatorDatabase(installation);
      try {
        const request = { day, events, videos, creators: Math.ceil(videos / 10), seed };
        return await generate({ database, request, today: day });
      } finally {
        await database.close();
      }
    },
    async runDay(day) {
      const { run } = await runDay(batchClientOf(installation), { date: day, job: 'daily', silent: false });
      return run;
    },
    replicasCaughtUp: () => stack.waitHealthy(600_000),
    batchPids: () =>
      ['batch-1', 'batch-2'].map((name) => stack.pidOf(name)).filter((pid): pid is number => pid !== undefined),
  };
}

/** How long `work` takes, in seconds. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

/** Prints numbers in columns, aligned to the right. */
export function printTable(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(
    `\n${formatTable(
      titles.map((title) => ({ title, align: 'right' as const })),
      rows.map((row) => [...row]),
    )}`,
  );
}

/** The machine that the numbers were measured on. */
export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || 'processor';
  return `${processors.length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
}
