import type { Command } from 'commander';
import { parseKstDay } from '#domain';
import type { HoldView } from '../adapters/batch-client.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

interface Options {
  readonly date: string;
  readonly reason: string;
  readonly json: boolean;
}

/** `hold`, `release`, `holds`: days whose settlement waits for an operator. */
export function addHoldCommands(program: Command, environment: CommandEnvironment): void {
  dayCommand(program, 'hold', 'hold a day: its settlement waits, and that of the days after it').action(
    async ({ date, reason, json }: Options) => {
      const hold = await (await environment.batch()).hold({ date: parseKstDay(date, '--date'), reason });
      printResult({ json, value: hold, text: () => formatHolds([hold]) });
    },
  );
  dayCommand(program, 'release', 'release a held day; a run that waited for it goes on').action(
    async ({ date, reason, json }: Options) => {
      const released = await (await environment.batch()).release({ date: parseKstDay(date, '--date'), reason });
      const goesOn = released.runId === null ? '' : `, run ${released.runId} goes on`;
      printResult({ json, value: released, text: () => `${released.day} is released${goesOn}` });
    },
  );
  program
    .command('holds')
    .description('days that are held')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const holds = await (await environment.batch()).holds();
      printResult({ json, value: holds, text: () => (holds.length === 0 ? 'no day is held' : formatHolds(holds)) });
    });
}

function dayCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption('--date <YYYY-MM-DD>', 'the day, in Asia/Seoul')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--json', 'print the result as JSON', false);
}

function formatHolds(holds: readonly HoldView[]): string {
  return formatTable(
    [{ title: 'day' }, { title: 'held by' }, { title: 'since' }, { title: 'reason' }],
    holds.map(({ day, heldBy, heldAt, reason }) => [day, heldBy, heldAt, reason]),
  );
}
