import { parseArgs } from 'node:util';
import { addDays, type KstDay, kstDayOf } from '#domain';
import { type StackOptions, startStack } from '../../deploy/local/stack/index.js';
import { Checklist } from '../../deploy/local/ui.js';
import { formatTable } from '../../services/ops/tables.js';
import { describeMachine } from '../bench/support.js';
import { ingestTokenOf } from './clients.js';
import { descendants, leftovers } from './leftovers.js';
import { FILL, play, type Row } from './play.js';
import { openingSunday, openRig } from './rig.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { Statements } from './statements.js';
import { World } from './world.js';

const PORT_OFFSET = 9_000;
const STATE_DIR = '.local/chaos';
const USAGE = `npm run chaos [-- options]
  --only <name,…>  these scenarios
  --seed <N>       another sequence of instants, events and victims (default 1)
  --list           name the scenarios`;

/** `npm run chaos`: plays every fault on a stack of its own, with traffic going on, and prints what was found. */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      seed: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return console.log(USAGE);
  if (values.list === true)
    return console.log(SCENARIOS.map(({ name, what }) => `${name.padEnd(24)}${what}`).join('\n'));
  const seed = Number(values.seed ?? 1);
  const { rows, leftBehind } = await playAll(chosen(values.only), seed);
  console.log(`\n${describeMachine()}, seed ${seed}\n\n${describeRows(rows)}`);
  const failed = rows.filter(({ problems }) => problems.length > 0);
  for (const { scenario, problems } of failed) console.log(`\n${scenario.name}\n  ${problems.join('\n  ')}`);
  console.log(`\n${leftBehind.length === 0 ? 'No process was left behind.' : leftBehind.join('\n')}`);
  if (failed.length + leftBehind.length > 0) process.exitCode = 1;
}

function chosen(only: string | undefined): Scenario[] {
  if (only === undefined) return [...SCENARIOS];
  return only.split(',').map((name) => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    if (scenario === undefined) throw new Error(`no scenario ${name}\n${USAGE}`);
    return scenario;
  });
}

/** Plays them on one stack after another: each has days for so many. */
async function playAll(scenarios: readonly Scenario[], seed: number): Promise<Result> {
  const days = daysOf();
  const result: Result = { rows: [], leftBehind: [] };
  for (let at = 0; at < scenarios.length; at += days.length) {
    const part = await playSome(scenarios.slice(at, at + days.length), { days, seed });
    result.rows.push(...part.rows);
    result.leftBehind.push(...part.leftBehind);
  }
  return result;
}

interface Result {
  readonly rows: Row[];
  readonly leftBehind: string[];
}

/** From the day after the books open to yesterday. */
function daysOf(): KstDay[] {
  const days: KstDay[] = [];
  const today = kstDayOf(Date.now());
  for (let day = addDays(openingSunday(), 1); day < today; day = addDays(day, 1)) days.push(day);
  return days;
}

async function playSome(
  scenarios: readonly Scenario[],
  { days, seed }: { days: readonly KstDay[]; seed: number },
): Promise<Result> {
  const checklist = new Checklist();
  const portOffset = PORT_OFFSET + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);
  const rig = await openRig({ stateDir: STATE_DIR, portOffset });
  const { env, ...lines } = rig.options;
  const options: StackOptions = {
    ...lines,
    env: { PLAYBILL_DB_LOG_SIZE: process.env.PLAYBILL_DB_LOG_SIZE ?? '256M', ...env },
    stateDir: STATE_DIR,
    portOffset,
    step: checklist.step,
    log: (line) => checklist.print(`  ${line}`),
  };
  let stack = await startStack({ ...options, fresh: true });
  const end = () => void stack.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const world = new World(stack, await ingestTokenOf(stack), rig);
  world.crash = async () => {
    await stack.kill9();
    const endedMs = performance.now();
    stack = await startStack(options);
    await world.replaceStack(stack);
    return endedMs;
  };
  const rows: Row[] = [];
  let running: ReturnType<typeof descendants> = [];
  try {
    const statements = new Statements(world, rig.sink, openingSunday());
    await checklist.step('The books open', () => statements.prepare({ creators: FILL.creators, seed }));
    for (const [i, scenario] of scenarios.entries()) {
      const label = `${scenario.name}: ${scenario.what}`;
      const day = days[i]!;
      rows.push(await checklist.step(label, () => play({ world, statements, scenario, day, seed })));
    }
  } finally {
    running = descendants();
    await world.close();
    await stack.stop();
    await rig.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
  }
  return { rows, leftBehind: leftovers(running, stack.layout.stateDir) };
}

function describeRows(rows: readonly Row[]): string {
  return formatTable(
    [
      { title: 'scenario' },
      { title: 'fault' },
      { title: 'stored once', align: 'right' },
      { title: 'refused', align: 'right' },
      { title: 'sent again', align: 'right' },
      { title: 'mails', align: 'right' },
      { title: 'healthy after s', align: 'right' },
      { title: 'verdict' },
    ],
    rows.map((row) => [
      row.scenario.name,
      row.scenario.what,
      row.events,
      row.refused,
      row.retries,
      row.mails,
      row.healthyAfterSeconds.toFixed(1),
      row.problems.length === 0 ? 'right' : `${row.problems.length} problems`,
    ]),
  );
}
