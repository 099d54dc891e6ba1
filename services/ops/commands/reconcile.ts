import type { Command } from 'commander';
import { parseKstDay } from '#domain';
import type { Reconciliation } from '../adapters/batch-client.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `reconcile`: proves a day from its raw events to the ledger. Differences make the command fail. */
export function addReconcileCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('reconcile')
    .description('prove a day: events, statistics, postings and ledger agree')
    .requiredOption('--date <YYYY-MM-DD>', 'the day, in Asia/Seoul')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { date: string; json: boolean }) => {
      const date = parseKstDay(options.date, '--date');
      const result = await (await environment.batch()).reconciliation(date);
      printResult({ json: options.json, value: result, text: () => formatReconciliation(result) });
      if (result.differences.length > 0) process.exitCode = 1;
    });
}

/** The four records of a day side by side, and where they differ. */
export function formatReconciliation(result: Reconciliation): string {
  const { statistics, postings, ledger } = result;
  const table = formatTable(
    [
      { title: result.day },
      { title: 'views', align: 'right' },
      { title: 'excluded', align: 'right' },
      { title: 'ad views', align: 'right' },
      { title: 'entries', align: 'right' },
      { title: 'won', align: 'right' },
    ],
    [
      ['raw events', result.counted, result.excluded, '', result.events, ''],
      ['statistics', statistics.views, statistics.excluded, statistics.adViews, '', ''],
      ['postings', postings.views, '', postings.adViews, '', postings.amount],
      ['ledger', '', '', '', ledger.entries, ledger.amount],
    ],
  );
  return `${table}\n\n${formatDifferences(result)}`;
}

/** `differences: none`, or one a line. */
export function formatDifferences({ differences }: Pick<Reconciliation, 'differences'>): string {
  if (differences.length === 0) return 'differences: none';
  const lines = differences.map(({ kind, ...rest }) => `  ${kind}  ${JSON.stringify(rest)}`);
  return [`differences: ${differences.length}`, ...lines].join('\n');
}
