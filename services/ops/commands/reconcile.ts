import type { Command } from 'commander';
import { parseKstDay } from '#domain';
import type { BatchClient, BooksReconciliation, Reconciliation } from '../adapters/batch-client.js';
import { CommandError } from '../errors.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

interface Options {
  readonly date?: string;
  readonly all: boolean;
  readonly json: boolean;
}

/** `reconcile`: proves a day, or everything, from raw events to the ledger. Differences make the command fail. */
export function addReconcileCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('reconcile')
    .description('prove a day, or all: events, statistics, postings, positions, ledger and balances agree')
    .option('--date <YYYY-MM-DD>', 'the day, in Asia/Seoul')
    .option('--all', 'the books as a whole, and every day of them', false)
    .option('--json', 'print the result as JSON', false)
    .action(async ({ date, all, json }: Options) => {
      if ((date === undefined) !== all) throw new CommandError('MISUSED', 'give --date or --all');
      const batch = await environment.batch();
      if (date === undefined) return reconcileAll(batch, json);
      const result = await batch.reconciliation(parseKstDay(date, '--date'));
      printResult({ json, value: result, text: () => formatReconciliation(result) });
      if (result.differences.length > 0) process.exitCode = 1;
    });
}

/** The whole first, then every day by itself. */
async function reconcileAll(batch: BatchClient, json: boolean): Promise<void> {
  const books = await batch.reconciliationOfBooks();
  const days: Reconciliation[] = [];
  for (const day of books.days) days.push(await batch.reconciliation(day));
  const differences = [...books.differences, ...days.flatMap((day) => day.differences)];
  printResult({ json, value: { books, days, differences }, text: () => formatAll(books, days, differences) });
  if (differences.length > 0) process.exitCode = 1;
}

function formatAll(
  books: BooksReconciliation,
  days: readonly Reconciliation[],
  differences: Reconciliation['differences'],
): string {
  const table = formatTable(
    [
      { title: 'day' },
      { title: 'events', align: 'right' },
      { title: 'counted', align: 'right' },
      { title: 'postings', align: 'right' },
      { title: 'won', align: 'right' },
      { title: 'differences', align: 'right' },
    ],
    days.map((day) => [
      day.day,
      day.events,
      day.counted,
      day.ledger.entries,
      day.postings.amount,
      day.differences.length,
    ]),
  );
  const { openedOn, lastSettledDay, open, ledger } = books;
  const waiting = open.length === 0 ? '' : `\nnot settled yet: ${open.join(', ')}`;
  return [
    `books from ${openedOn ?? 'nowhere'} to ${lastSettledDay ?? 'nowhere'}: ${ledger.entries} entries of ` +
      `${ledger.creators} creators, ${ledger.amount} won${waiting}`,
    table,
    formatDifferences({ differences }),
  ].join('\n\n');
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
