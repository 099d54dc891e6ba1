import { readFileSync } from 'node:fs';
import type { Connection, Pool } from 'mysql2/promise';
import { type KstDay, kstDayOf } from '#domain';
import {
  connect,
  connectPool,
  credentialsOf,
  type PollOptions,
  type ProcessEnd,
  poll,
  type Secrets,
  type StackEndpoints,
  type StateLayout,
} from '../../../deploy/local/stack/index.js';
import { installationOf } from '../../../services/ops/adapters/installation.js';
import { openOperatorDatabase } from '../../../services/ops/adapters/operator-database.js';
import { type GenerateReport, generate as generateEvents } from '../../../services/ops/generator/generate.js';
import type { Control, ControlRequest } from './control-server.js';
import { TEST_FILE } from './test-stack.js';

interface TestFile {
  readonly layout: StateLayout;
  readonly control: Control;
  readonly endpoints: StackEndpoints;
  readonly secrets: Secrets;
}

/** The stack that the global set-up has started, and its supervisor. Processes are named as their log files. */
export interface TestStack {
  readonly layout: StateLayout;
  readonly endpoints: StackEndpoints;
  readonly secrets: Secrets;
  /** Sends a signal, SIGKILL unless given; one that kills is waited for. The process is started again. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** SIGSTOP. */
  pause(name: string): Promise<void>;
  /** SIGCONT. */
  resume(name: string): Promise<void>;
  /** Ends it kindly, starts it, and waits until it works. @returns how it ended; null when it did not run */
  restart(name: string): Promise<ProcessEnd | null>;
  processNames(): Promise<string[]>;
  isRunning(name: string): Promise<boolean>;
  pidOf(name: string): Promise<number | null>;
  /** Without it, a process that ends stays down; switching it on again starts it. */
  setAutoRestart(name: string, on: boolean): Promise<void>;
  /** Starts one more replica of an app and its sidecar. @returns its name */
  addReplica(appId: string): Promise<string>;
  removeReplica(name: string): Promise<void>;
  /** Waits until every process works and both replicas have caught up. */
  waitHealthy(deadlineMs?: number): Promise<void>;
}

let known: TestFile | undefined;

/** The stack of this test run. */
export function stack(): TestStack {
  known ??= JSON.parse(readFileSync(TEST_FILE, 'utf8')) as TestFile;
  const { control, endpoints, secrets, layout } = known;
  const ask = (request: ControlRequest) => askSupervisor(control, request);
  return {
    layout,
    endpoints,
    secrets,
    kill: async (name, signal = 'SIGKILL') => void (await ask({ command: 'kill', name, signal })),
    pause: async (name) => void (await ask({ command: 'pause', name })),
    resume: async (name) => void (await ask({ command: 'resume', name })),
    restart: async (name) => (await ask({ command: 'restart', name })) as ProcessEnd | null,
    processNames: async () => (await ask({ command: 'processNames' })) as string[],
    isRunning: async (name) => (await ask({ command: 'isRunning', name })) as boolean,
    pidOf: async (name) => (await ask({ command: 'pidOf', name })) as number | null,
    setAutoRestart: async (name, on) => void (await ask({ command: 'setAutoRestart', name, on })),
    addReplica: async (appId) => (await ask({ command: 'addReplica', name: appId })) as string,
    removeReplica: async (name) => void (await ask({ command: 'removeReplica', name })),
    waitHealthy: async (deadlineMs = 60_000) => void (await ask({ command: 'waitHealthy', deadlineMs })),
  };
}

async function askSupervisor({ url, token }: Control, request: ControlRequest): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    // A connection that is kept may be closed by the server in the moment that it is used.
    headers: { authorization: `Bearer ${token}`, connection: 'close' },
    body: JSON.stringify(request),
  });
  const { value, error } = (await response.json()) as { value?: unknown; error?: string };
  if (!response.ok) throw new Error(`${request.command} ${request.name ?? ''}: ${error}`);
  return value;
}

/** A connection to the primary that may do everything. The caller ends it. */
export function adminConnection(): Promise<Connection> {
  return databaseConnection('admin');
}

/** As adminConnection, and it goes on after the primary was restarted. The caller ends it. */
export function adminPool(): Pool {
  const { endpoints, secrets } = stack();
  return connectPool(endpoints.primary, credentialsOf(secrets, 'admin'));
}

/** A connection to the primary with the rights of one account, e.g. `batch`. The caller ends it. */
export function databaseConnection(account: string): Promise<Connection> {
  const { endpoints, secrets } = stack();
  return connect(endpoints.primary, credentialsOf(secrets, account));
}

/** A connection to replica 1 or 2 that may do everything. The caller ends it. */
export function replicaConnection(number: 1 | 2): Promise<Connection> {
  const { endpoints, secrets } = stack();
  return connect(endpoints.replicas[number - 1]!.endpoint, credentialsOf(secrets, 'admin'));
}

export type EventuallyOptions = PollOptions;

/** Tries until `attempt` neither throws nor gives undefined. @throws naming what was waited for, after the deadline */
export function eventually<T>(attempt: () => Promise<T | undefined>, options: EventuallyOptions): Promise<T> {
  return poll(attempt, options);
}

/**
 * What an event on the broker takes at most: when an app has begun anew beside its sidecar, the next one of a topic is
 * delivered only the second time, after 30 to 40 s (docs/reliability.md).
 */
export const EVENT_DELIVERY_MS = 90_000;

export interface GenerateOptions {
  readonly day: string;
  readonly events: number;
  readonly videos: number;
  readonly creators?: number;
  readonly seed: number;
}

/** Makes watch events of a day, and their videos; they are on the primary and on both replicas when it returns. */
export async function generate({ day, events, videos, creators, seed }: GenerateOptions): Promise<GenerateReport> {
  const { endpoints, secrets } = stack();
  const database = await openOperatorDatabase(installationOf(endpoints, secrets));
  const request = { day: day as KstDay, events, videos, creators: creators ?? Math.ceil(videos / 10), seed };
  try {
    return await generateEvents({ database, request, today: kstDayOf(Date.now()) });
  } finally {
    await database.close();
  }
}
