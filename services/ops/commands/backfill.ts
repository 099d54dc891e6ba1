import type { Command } from 'commander';
import { daysBetween, daysOf, type KstDay, parseKstDay } from '#domain';
import type { Job } from '../adapters/batch-client.js';
import { CommandError } from '../errors.js';
import { printResult } from '../output.js';
import { formatOutcomes, type RunOutcome, runDay } from '../run-view.js';
import type { CommandEnvironment } from './environment.js';
import { jobOption } from './run.js';

const DAYS_MAX = 400;

/** `backfill`: several days, one after the other in their order. It stops at the first that fails. */
export function addBackfillCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('backfill')
    .description('run each day of a range in order; days that are done and unchanged are passed over')
    .requiredOption('--from <YYYY-MM-DD>', 'the first day, in Asia/Seoul')
    .requiredOption('--to <YYYY-MM-DD>', 'the last day')
    .addOption(jobOption())
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { from: string; to: string; job: Job; json: boolean }) => {
      const days = parseRange(options);
      const batch = await environment.batch();
      const outcomes: RunOutcome[] = [];
      try {
        for (const date of days) outcomes.push(await runDay(batch, { date, job: options.job, silent: options.json }));
      } catch (error) {
        if (!options.json && outcomes.length > 0) process.stdout.write(`${formatOutcomes(outcomes)}\n`);
        throw error;
      }
      printResult({ json: options.json, value: { runs: outcomes }, text: () => formatOutcomes(outcomes) });
    });
}

function parseRange(options: { from: string; to: string }): KstDay[] {
  const from = parseKstDay(options.from, '--from');
  const to = parseKstDay(options.to, '--to');
  const days = daysBetween(from, to) + 1;
  if (days < 1) throw new CommandError('INVALID_ARGUMENT', `--to: ${to} is before ${from}`);
  if (days > DAYS_MAX) throw new CommandError('INVALID_ARGUMENT', `--to: at most ${DAYS_MAX} days, not ${days}`);
  return [...daysOf(from, to)];
}
