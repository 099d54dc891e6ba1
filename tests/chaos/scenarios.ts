import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../services/ops/generator/random.js';
import type { World } from './world.js';

export interface Strike {
  readonly world: World;
  /** The run of the scenario's day, which is under way. */
  readonly runId: string;
  readonly random: Random;
}

/** One fault, with traffic and a run of the day going on. */
export interface Scenario {
  readonly name: string;
  /** What happens, in the words of the printed table. */
  readonly what: string;
  /** Whether it belongs to the bounded part that `npm test` runs. */
  readonly isBrief?: boolean;
  strike(strike: Strike): Promise<void>;
}

/** The supervisor starts again whatever dies, so a kill is a crash and a restart. */
function kills(name: string, what: string, victims: readonly string[], brief = false): Scenario {
  return {
    name,
    what,
    isBrief: brief,
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      await Promise.all(victims.map((victim) => world.stack.kill(victim)));
    },
  };
}

/** An instant of the run that the seed picks: some slice of statistics, or of settlement, is just done. */
async function atSomeSlice(world: World, runId: string, random: Random): Promise<void> {
  const phase = random.below(2) === 0 ? 'statistics' : 'settlement';
  await world.slicesDone(runId, phase, 1 + random.below(60));
}

/** Keeps processes down for a while. */
async function keepDown(world: World, victims: readonly string[], ms: number): Promise<void> {
  for (const victim of victims) await world.stack.setAutoRestart(victim, false);
  await Promise.all(victims.map((victim) => world.stack.kill(victim)));
  await pause(ms);
  for (const victim of victims) await world.stack.setAutoRestart(victim, true);
}

/** The list of what must survive, with nothing lost and nothing paid twice. */
export const SCENARIOS: readonly Scenario[] = [
  kills('batch-app', 'kill -9 of a batch replica’s app', ['batch-1'], true),
  kills('batch-sidecar', 'kill -9 of a batch replica’s sidecar', ['batch-2-daprd']),
  kills('batch-both', 'kill -9 of both batch replicas, apps and sidecars', [
    'batch-1',
    'batch-1-daprd',
    'batch-2',
    'batch-2-daprd',
  ]),
  {
    name: 'coordinator',
    what: 'kill -9 of the coordinator’s host, app and sidecar',
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      const host = await world.coordinator();
      await Promise.all([world.stack.kill(host), world.stack.kill(`${host}-daprd`)]);
    },
  },
  {
    name: 'batch-paused',
    what: 'a batch replica hangs past its lease (SIGSTOP, 9 s) and goes on',
    async strike({ world, runId, random }) {
      await world.slicesDone(runId, 'statistics', 1 + random.below(40));
      await world.stack.pause('batch-2');
      await pause(9_000);
      await world.stack.resume('batch-2');
    },
  },
  kills('watch-history-app', 'kill -9 of a watch-history replica in mid-flush', ['watch-history-1'], true),
  kills('watch-history-sidecar', 'kill -9 of a watch-history replica’s sidecar', ['watch-history-2-daprd']),
  kills('video', 'kill -9 of the video service', ['video']),
  kills('gateway', 'kill -9 of the gateway, app and sidecar', ['gateway', 'gateway-daprd']),
  kills('advertisement', 'kill -9 of the advertisement service', ['advertisement']),
  {
    name: 'advertisements-down',
    what: 'both advertisement services down for 6 s',
    isBrief: true,
    strike: ({ world }) => keepDown(world, ['advertisement', 'advertisement-reserve'], 6_000),
  },
  kills('replica-1', 'kill -9 of a database replica', ['mariadb-replica-1']),
  {
    name: 'replicas-down',
    what: 'both database replicas down for 6 s',
    strike: ({ world }) => keepDown(world, ['mariadb-replica-1', 'mariadb-replica-2'], 6_000),
  },
  {
    name: 'replica-hangs',
    what: 'a database replica hangs for 8 s (SIGSTOP)',
    async strike({ world, runId, random }) {
      await world.slicesDone(runId, 'statistics', 1 + random.below(40));
      await world.stack.pause('mariadb-replica-2');
      await pause(8_000);
      await world.stack.resume('mariadb-replica-2');
    },
  },
  kills('primary', 'kill -9 of the database primary', ['mariadb-primary'], true),
  {
    name: 'primary-hangs',
    what: 'the database primary hangs for 4 s (SIGSTOP)',
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      await world.stack.pause('mariadb-primary');
      await pause(4_000);
      await world.stack.resume('mariadb-primary');
    },
  },
  kills('redis', 'kill -9 of Redis', ['redis']),
  {
    name: 'redis-empty',
    what: 'Redis down for 3 s and back without its data',
    async strike({ world }) {
      await world.stack.setAutoRestart('redis', false);
      await world.stack.kill('redis');
      await rm(`${world.stack.layout.redisDir}/appendonlydir`, { recursive: true, force: true });
      await pause(3_000);
      await world.stack.setAutoRestart('redis', true);
    },
  },
  kills('placement', 'kill -9 of Dapr’s placement', ['placement']),
  kills('scheduler', 'kill -9 of Dapr’s scheduler', ['scheduler']),
  kills('sentry', 'kill -9 of Dapr’s sentry', ['sentry']),
  {
    name: 'machine',
    what: 'kill -9 of every process at once, and a start on the same data',
    async strike({ world, runId, random }) {
      await atSomeSlice(world, runId, random);
      await world.crash?.();
    },
  },
  {
    name: 'two-at-once',
    what: 'kill -9 of two processes that the seed picks, three times',
    async strike({ world, random }) {
      const names = (await world.stack.processNames()).filter((name) => !name.startsWith('mail'));
      for (let i = 0; i < 3; i++) {
        const victims = [names[random.below(names.length)]!, names[random.below(names.length)]!];
        await Promise.all([...new Set(victims)].map((victim) => world.stack.kill(victim)));
        await pause(2_500);
      }
    },
  },
];
