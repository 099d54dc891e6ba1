import { type Command, InvalidArgumentError } from 'commander';
import type { RetentionResult } from '../adapters/batch-client.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `retention`: raw events of old, settled days go; statistics, postings and the ledger stay. */
export function addRetentionCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('retention')
    .description('drop the raw events of settled days that are older; money and statistics stay')
    .requiredOption('--keep-days <N>', 'days to keep, at least 37: late events come for 35', parseDays)
    .option('--trial', 'say what would be dropped, and drop nothing', false)
    .option('--json', 'print the result as JSON', false)
    .action(async ({ keepDays, trial, json }: { keepDays: number; trial: boolean; json: boolean }) => {
      const result = await (await environment.batch()).dropOldDays({ keepDays, trial });
      printResult({ json, value: result, text: () => describe(result) });
    });
}

function describe({ keptFrom, trial, days }: RetentionResult): string {
  if (days.length === 0) return `no raw events before ${keptFrom}`;
  const table = formatTable(
    [{ title: 'day' }, { title: 'events', align: 'right' }],
    days.map(({ day, events }) => [day, events]),
  );
  return `${table}\n\n${days.length} days ${trial ? 'would be' : 'are'} dropped; kept from ${keptFrom}`;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= 1) return days;
  throw new InvalidArgumentError('a number of days');
}
