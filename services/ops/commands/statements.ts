import type { Command } from 'commander';
import { parseIsoWeek } from '#domain';
import { printResult } from '../output.js';
import { formatStatementRun, makeStatements } from '../statements-view.js';
import type { CommandEnvironment } from './environment.js';

const WAIT_MS = 600_000;

/** `statements`: makes and mails the statements of a week. */
export function addStatementsCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('statements')
    .description("make and mail a week's statements, and wait until the mails are sent")
    .requiredOption('--week <YYYY-Www>', 'the ISO week')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { week: string; json: boolean }) => {
      const week = parseIsoWeek(options.week, '--week');
      const run = await makeStatements(await environment.reports(), week, { waitMs: WAIT_MS });
      printResult({ json: options.json, value: run, text: () => formatStatementRun(run) });
    });
}
