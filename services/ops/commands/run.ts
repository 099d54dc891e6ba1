import { type Command, Option } from 'commander';
import { parseKstDay } from '#domain';
import type { Job } from '../adapters/batch-client.js';
import { printResult } from '../output.js';
import { formatOutcomes, runDay } from '../run-view.js';
import type { CommandEnvironment } from './environment.js';

/** Which part of a day's work; the same for `run` and `backfill`. */
export function jobOption(): Option {
  return new Option('--job <job>', 'which part').choices(['daily', 'statistics', 'settlement']).default('daily');
}

/** `run`: one day's statistics and settlement, watched until they are done. */
export function addRunCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('run')
    .description("run a day's statistics and settlement, and watch")
    .requiredOption('--date <YYYY-MM-DD>', 'the day, in Asia/Seoul')
    .addOption(jobOption())
    .option('--json', 'print the result as JSON', false)
    .action(async (options: { date: string; job: Job; json: boolean }) => {
      const date = parseKstDay(options.date, '--date');
      const outcome = await runDay(await environment.batch(), { date, job: options.job, silent: options.json });
      printResult({ json: options.json, value: outcome, text: () => formatOutcomes([outcome]) });
    });
}
