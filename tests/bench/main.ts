import { balance } from './balance.js';
import { daily } from './daily.js';
import { ingest } from './ingest.js';
import { overload } from './overload.js';
import { queries } from './queries.js';
import { reconciliation } from './reconciliation.js';
import { settlement } from './settlement.js';

import { soak } from './soak.js';
import { spider } from './spider.js';
import { statements } from './statements.js';
import { type Bench, type BenchStack, describeMachine, withBenchStack } from './support.js';

const BENCHES: readonly Bench[] = [
  daily,
  settlement,
  reconciliation,
  balance,
  ingest,
  soak,
  overload,
  queries,
  statements,
  spider,
];

/** `npm run bench -- <name> [--quick] [--minutes N]`: measures on a stack of its own and prints a table. */
export async function main(args: readonly string[]): Promise<void> {
  const names = BENCHES.map((bench) => bench.name).join(', ');
  const bench = BENCHES.find(({ name }) => name === args[0]);
  if (bench === undefined) {
    console.error(`usage: npm run bench -- <name> [--quick] [--minutes N]\nnames: ${names}`);
    process.exitCode = 2;
    return;
  }
  console.log(`${bench.name} on ${describeMachine()}`);
  const at = args.indexOf('--minutes');
  const options = { quick: args.includes('--quick'), ...(at < 0 ? {} : { minutes: Number(args[at + 1]) }) };
  if (bench.needsStack === false) await bench.run(undefined as unknown as BenchStack, options);
  else await withBenchStack((stack) => bench.run(stack, options), bench.env);
}
