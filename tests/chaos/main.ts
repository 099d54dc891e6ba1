import { parseArgs } from 'node:util';
import { addDays, type KstDay, kstDayOf } from '#domain';
import { type StackOptions, startStack } from '../../deploy/local/stack/index.js';
import { Checklist } from '../../deploy/local/ui.js';
import { formatTable } from '../../services/ops/tables.js';
import { ingestTokenOf } from './clients.js';
import { play, type Row } from './play.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { World } from './world.js';

const PORT_OFFSET = 9_000;
const FIRST_DAY_BACK = 34;
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
  const rows = await playAll(chosen(values.only), Number(values.seed ?? 1));
  console.log(`\n${describeRows(rows)}`);
  const failed = rows.filter(({ problems }) => problems.length > 0);
  for (const { scenario, problems } of failed) console.log(`\n${scenario.name}\n  ${problems.join('\n  ')}`);
  if (failed.length > 0) process.exitCode = 1;
}

function chosen(only: string | undefined): Scenario[] {
  if (only === undefined) return [...SCENARIOS];
  return only.split(',').map((name) => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    if (scenario === undefined) throw new Error(`no scenario ${name}\n${USAGE}`);
    return scenario;
  });
}

async function playAll(scenarios: readonly Scenario[], seed: number): Promise<Row[]> {
  const checklist = new Checklist();
  const options: StackOptions = {
    stateDir: '.local/chaos',
    portOffset: PORT_OFFSET + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0),
    step: checklist.step,
    log: (line) => checklist.print(`  ${line}`),
  };
  let stack = await startStack({ ...options, fresh: true });
  const end = () => void stack.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const world = new World(stack, await ingestTokenOf(stack));
  world.crash = async () => {
    await stack.kill9();
    stack = await startStack(options);
    await world.replaceStack(stack);
  };
  const rows: Row[] = [];
  try {
    let day: KstDay = addDays(kstDayOf(Date.now()), -FIRST_DAY_BACK);
    for (const scenario of scenarios) {
      const label = `${scenario.name}: ${scenario.what}`;
      rows.push(await checklist.step(label, () => play({ world, scenario, day, seed })));
      day = addDays(day, 1);
    }
  } finally {
    await world.close();
    await stack.stop();
  }
  return rows;
}

function describeRows(rows: readonly Row[]): string {
  return formatTable(
    [
      { title: 'scenario' },
      { title: 'fault' },
      { title: 'stored once', align: 'right' },
      { title: 'refused', align: 'right' },
      { title: 'sent again', align: 'right' },
      { title: 'healthy after s', align: 'right' },
      { title: 'verdict' },
    ],
    rows.map((row) => [
      row.scenario.name,
      row.scenario.what,
      row.events,
      row.refused,
      row.retries,
      row.healthyAfterSeconds.toFixed(1),
      row.problems.length === 0 ? 'right' : `${row.problems.length} problems`,
    ]),
  );
}
