import type { Command } from 'commander';
import { listDeadLetters, replayDeadLetters } from '../adapters/dead-letter-queries.js';
import { CommandError } from '../errors.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

interface ListOptions {
  readonly consumer?: string;
  readonly all: boolean;
  readonly json: boolean;
}

interface ReplayOptions {
  readonly consumer?: string;
  readonly all: boolean;
  readonly json: boolean;
}

/** `dead-letters`: events that failed for good at a consumer. */
export function addDeadLettersCommand(program: Command, environment: CommandEnvironment): void {
  const letters = program.command('dead-letters').description('events that a consumer could not use');
  letters
    .command('list')
    .description('those that wait for an operator, the oldest first')
    .option('--consumer <app-id>', 'of this consumer only')
    .option('--all', 'also those that were replayed', false)
    .option('--json', 'print the result as JSON, with the data of each event', false)
    .action(async ({ consumer, all, json }: ListOptions) => {
      const items = await environment.withDatabase(({ primary }) => listDeadLetters(primary, { consumer, all }));
      const columns = ['consumer', 'event', 'topic', 'failed at', 'failures', 'replayed at'].map((title) => ({
        title,
      }));
      const rows = items.map((item) => [
        item.consumer,
        item.eventId,
        item.topic,
        item.failedAt,
        item.failures,
        item.replayedAt ?? '',
      ]);
      printResult({ json, value: { items }, text: () => (items.length === 0 ? 'none' : formatTable(columns, rows)) });
    });
  letters
    .command('replay [eventIds...]')
    .description('publish events again: those named, or all that wait')
    .option('--consumer <app-id>', 'of this consumer only')
    .option('--all', 'all that wait', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (eventIds: string[], { consumer, all, json }: ReplayOptions) => {
      if (eventIds.length === 0 && !all) throw new CommandError('MISUSED', 'name events, or give --all');
      const filter = { consumer, ...(eventIds.length === 0 ? {} : { eventIds }) };
      const replayed = await environment.withDatabase((database) => replayDeadLetters(database, filter));
      const value = { replayed: replayed.map(({ eventId }) => eventId) };
      printResult({ json, value, text: () => `${replayed.length} events are published again` });
    });
}
