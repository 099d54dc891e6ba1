import { daily } from './daily.js';
import { type Bench, describeMachine, withBenchStack } from './support.js';

const BENCHES: readonly Bench[] = [daily];

/** `npm run bench -- <name> [--quick]`: measures on a stack of its own and prints a table. */
export async function main(args: readonly string[]): Promise<void> {
  const names = BENCHES.map((bench) => bench.name).join(', ');
  const bench = BENCHES.find(({ name }) => name === args[0]);
  if (bench === undefined) {
    console.error(`usage: npm run bench -- <name> [--quick]\nnames: ${names}`);
    process.exitCode = 2;
    return;
  }
  console.log(`${bench.name} on ${describeMachine()}`);
  await withBenchStack((stack) => bench.run(stack, { quick: args.includes('--quick') }));
}
