import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPool, credentialsOf, poll } from '../../deploy/local/stack/index.js';
import type { Random } from '../../services/ops/generator/random.js';
import type { SinkAnswer } from '../stack/support/smtp-sink.js';
import { redeliver } from './faults/broker.js';
import { SmallDisk } from './faults/small-disk.js';
import type { Traffic } from './traffic.js';
import type { World } from './world.js';

export interface Strike {
  readonly world: World;
  /** The run of the scenario's day, which is under way. */
  readonly runId: string;
  readonly random: Random;
  readonly traffic: Traffic;
}

/** What a fault leaves to its caller. */
export interface Aftermath {
  /** When the fault ended, in ms of `performance.now`; the end of `strike` unless given. */
  readonly endedMs?: number;
  /** What has to be put back when everything works again. */
  readonly tidyUp?: () => Promise<void>;
}

/** One fault, with traffic and a run of the day going on. */
export interface Scenario {
  readonly name: string;
  /** What happens, in the words of the printed table. */
  readonly what: string;
  /** Whether it belongs to the bounded part that `npm test` runs. */
  readonly isBrief?: boolean;
  strike(strike: Strike): Promise<Aftermath | undefined>;
}

/** Processes that die together. */
type Victims = readonly string[];

/** The supervisor starts again whatever dies, so a kill is a crash and a restart. Of several choices the seed picks one. */
function kills(name: string, what: string, choices: readonly [Victims, ...Victims[]], isBrief = false): Scenario {
  return {
    name,
    what,
    isBrief,
    async strike({ world, runId, random }) {
      const victims = choices[random.below(choices.length)]!;
      await atSomeSlice(world, runId, random);
      await Promise.all(victims.map((victim) => world.stack.kill(victim)));
      return undefined;
    },
  };
}

/** A fault that lasts that long, from some slice of statistics on. */
function lasting(
  fault: { readonly name: string; readonly what: string; readonly ms: number },
  begin: (strike: Strike) => Promise<unknown>,
  end: (strike: Strike) => Promise<unknown>,
): Scenario {
  const { name, what, ms } = fault;
  return {
    name,
    what,
    async strike(strike) {
      await amidStatistics(strike);
      try {
        await begin(strike);
        await pause(ms);
      } finally {
        await end(strike);
      }
      return undefined;
    },
  };
}

/** An instant of the run that the seed picks: some slice of statistics is just done, and many are to come. */
async function amidStatistics({ world, runId, random }: Pick<Strike, 'world' | 'runId' | 'random'>): Promise<void> {
  await world.slicesDone(runId, 'statistics', 1 + random.below(40));
}

/** An instant of the run that the seed picks: some slice of statistics, or of settlement, is just done. */
async function atSomeSlice(world: World, runId: string, random: Random): Promise<void> {
  const phase = random.below(2) === 0 ? 'statistics' : 'settlement';
  await world.slicesDone(runId, phase, 1 + random.below(60));
}

/** Keeps processes down for a while. */
async function keepDown(world: World, victims: readonly string[], ms: number): Promise<undefined> {
  for (const victim of victims) await world.stack.setAutoRestart(victim, false);
  await Promise.all(victims.map((victim) => world.stack.kill(victim)));
  await pause(ms);
  for (const victim of victims) await world.stack.setAutoRestart(victim, true);
  return undefined;
}

const DAY_MS = 86_400_000;
const FULL_REPLICA = 'mariadb-replica-2';
const MAILS_DEADLINE_MS = 60_000;

async function setDelay(world: World, delayMs: number): Promise<void> {
  world.rig.lines![1]!.delayMs = delayMs;
}

async function setCopies(traffic: Traffic, copies: number): Promise<void> {
  traffic.copies = copies;
}

/** Waits until that many more mails have arrived, and fails when they do not. */
async function mailsArrive({ rig }: World, more: number): Promise<void> {
  const wanted = rig.sink.mails.length + more;
  const haveCome = async () => rig.sink.mails.length >= wanted || undefined;
  await poll(haveCome, { what: `${more} mails`, deadlineMs: MAILS_DEADLINE_MS, intervalMs: 10 });
}

/** Does something to the folder of a process, which is down meanwhile. */
async function offTheStack<T>({ stack }: World, name: string, work: () => Promise<T>): Promise<T> {
  await stack.setAutoRestart(name, false);
  await stack.kill(name);
  try {
    return await work();
  } finally {
    await stack.setAutoRestart(name, true);
    await stack.waitHealthy();
  }
}

function moveToSmallDisk(world: World, name: string): Promise<SmallDisk> {
  return offTheStack(world, name, () => SmallDisk.under(join(world.stack.layout.mariadbDir, name)));
}

/** The list of what must survive, with nothing lost and nothing paid twice. */
export const SCENARIOS: readonly Scenario[] = [
  kills('batch-app', 'kill -9 of a batch replica’s app', [['batch-1'], ['batch-2']], true),
  kills('batch-sidecar', 'kill -9 of a batch replica’s sidecar', [['batch-1-daprd'], ['batch-2-daprd']]),
  kills('batch-both', 'kill -9 of both batch replicas, apps and sidecars', [
    ['batch-1', 'batch-1-daprd', 'batch-2', 'batch-2-daprd'],
  ]),
  {
    name: 'coordinator',
    what: 'kill -9 of the coordinator’s host, app and sidecar',
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      const host = await world.coordinator();
      await Promise.all([world.stack.kill(host), world.stack.kill(`${host}-daprd`)]);
      return undefined;
    },
  },
  lasting(
    { name: 'batch-paused', what: 'a batch replica hangs past its lease (SIGSTOP, 9 s) and goes on', ms: 9_000 },
    async ({ world }) => world.stack.pause('batch-2'),
    async ({ world }) => world.stack.resume('batch-2'),
  ),
  kills(
    'watch-history-app',
    'kill -9 of a watch-history replica in mid-flush',
    [['watch-history-1'], ['watch-history-2']],
    true,
  ),
  kills('watch-history-sidecar', 'kill -9 of a watch-history replica’s sidecar', [
    ['watch-history-1-daprd'],
    ['watch-history-2-daprd'],
  ]),
  kills('video', 'kill -9 of the video service', [['video']]),
  kills('gateway', 'kill -9 of the gateway, app and sidecar', [['gateway', 'gateway-daprd']]),
  kills('advertisement', 'kill -9 of the advertisement service', [['advertisement']]),
  {
    name: 'advertisements-down',
    what: 'both advertisement services down for 6 s',
    isBrief: true,
    strike: ({ world }) => keepDown(world, ['advertisement', 'advertisement-reserve'], 6_000),
  },
  kills('replica', 'kill -9 of a database replica', [['mariadb-replica-1'], ['mariadb-replica-2']]),
  {
    name: 'replicas-down',
    what: 'both database replicas down for 6 s',
    strike: ({ world }) => keepDown(world, ['mariadb-replica-1', 'mariadb-replica-2'], 6_000),
  },
  lasting(
    { name: 'replica-hangs', what: 'a database replica hangs for 8 s (SIGSTOP)', ms: 8_000 },
    async ({ world }) => world.stack.pause('mariadb-replica-2'),
    async ({ world }) => world.stack.resume('mariadb-replica-2'),
  ),
  lasting(
    { name: 'replica-slow', what: 'the line to a database replica takes 400 ms more each way for 10 s', ms: 10_000 },
    async ({ world }) => setDelay(world, 400),
    async ({ world }) => setDelay(world, 0),
  ),
  {
    name: 'replica-behind',
    what: 'a database replica applies nothing for 10 s',
    async strike({ world, runId, random }) {
      const { endpoints, secrets } = world.stack;
      const replica = connectPool(endpoints.replicas[0]!.endpoint, credentialsOf(secrets, 'admin'));
      const connection = await replica.getConnection();
      await amidStatistics({ world, runId, random });
      await connection.query('FLUSH TABLES WITH READ LOCK');
      await pause(10_000);
      await connection.query('UNLOCK TABLES');
      connection.release();
      await replica.end();
      return undefined;
    },
  },
  {
    name: 'replica-disk-full',
    what: 'the disk of a database replica is full for 10 s',
    async strike({ world, runId, random }) {
      const disk = await moveToSmallDisk(world, FULL_REPLICA);
      await amidStatistics({ world, runId, random });
      await disk.fill();
      await pause(10_000);
      await disk.empty();
      return { tidyUp: () => offTheStack(world, FULL_REPLICA, () => disk.remove()) };
    },
  },
  kills('primary', 'kill -9 of the database primary', [['mariadb-primary']], true),
  {
    name: 'primary-hangs',
    what: 'the database primary hangs for 4 s (SIGSTOP)',
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      await world.stack.pause('mariadb-primary');
      await pause(4_000);
      await world.stack.resume('mariadb-primary');
      return undefined;
    },
  },
  kills('redis', 'kill -9 of Redis', [['redis']]),
  {
    name: 'redis-empty',
    what: 'Redis down for 3 s and back without its data',
    async strike({ world }) {
      await world.stack.setAutoRestart('redis', false);
      await world.stack.kill('redis');
      await rm(`${world.stack.layout.redisDir}/appendonlydir`, { recursive: true, force: true });
      await pause(3_000);
      await world.stack.setAutoRestart('redis', true);
      return undefined;
    },
  },
  {
    name: 'broker-repeats',
    what: 'the broker delivers again what its topics hold, three times',
    async strike({ world, runId, random }) {
      const { endpoints, secrets } = world.stack;
      for (let time = 0; time < 3; time += 1) {
        await atSomeSlice(world, runId, random);
        const messages = await redeliver(endpoints.redis, secrets.redis!.password!);
        if (messages === 0) throw new Error('no topic of the broker holds a message');
        await pause(1_500);
      }
      return undefined;
    },
  },
  kills('placement', 'kill -9 of Dapr’s placement', [['placement']]),
  kills('scheduler', 'kill -9 of Dapr’s scheduler', [['scheduler']]),
  kills('sentry', 'kill -9 of Dapr’s sentry', [['sentry']]),
  {
    name: 'machine',
    what: 'kill -9 of every process at once, and a start on the same data',
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      if (world.crash === undefined) throw new Error('this stack is not ours to crash');
      return { endedMs: await world.crash() };
    },
  },
  lasting(
    {
      name: 'clocks-jump',
      what: 'clocks of both batch and both watch-history replicas jump 40 days, for 8 s',
      ms: 8_000,
    },
    async ({ world }) =>
      world.rig.clocks!.jump({
        'batch-1': 40 * DAY_MS,
        'batch-2': -40 * DAY_MS,
        'watch-history-1': -40 * DAY_MS,
        'watch-history-2': 40 * DAY_MS,
      }),
    async ({ world }) => world.rig.clocks!.mend(),
  ),
  lasting(
    { name: 'clients-repeat', what: 'clients send everything three times at once for 8 s', ms: 8_000 },
    async ({ traffic }) => setCopies(traffic, 3),
    async ({ traffic }) => setCopies(traffic, 1),
  ),
  {
    name: 'report',
    what: 'kill -9 of the report service while mails go out, three times',
    async strike({ world }) {
      for (let time = 0; time < 3; time += 1) {
        await mailsArrive(world, 2);
        await world.stack.kill('report');
      }
      return undefined;
    },
  },
  {
    name: 'smtp-drops',
    what: 'the mail server takes mails and drops the connection, or is busy, for 8 s',
    async strike({ world, random }) {
      const answers: SinkAnswer[] = ['accept-and-drop', 'busy', 'accept'];
      world.rig.sink.answer = () => answers[random.below(answers.length)]!;
      await mailsArrive(world, 1);
      await pause(8_000);
      world.rig.sink.answer = () => 'accept';
      return undefined;
    },
  },
  {
    name: 'two-at-once',
    what: 'kill -9 of two processes that the seed picks, three times',
    async strike({ world, random }) {
      const names = await world.stack.processNames();
      let endedMs = 0;
      for (let i = 0; i < 3; i++) {
        const victims = [names[random.below(names.length)]!, names[random.below(names.length)]!];
        await Promise.all([...new Set(victims)].map((victim) => world.stack.kill(victim)));
        endedMs = performance.now();
        if (i < 2) await pause(2_500);
      }
      return { endedMs };
    },
  },
];
