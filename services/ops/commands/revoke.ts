import type { Command } from 'commander';
import { parseEventId, parseKstDay, parseViewer } from '#domain';
import type { RevocationRequest } from '../adapters/watch-history-client.js';
import { CommandError } from '../errors.js';
import { printResult } from '../output.js';
import type { CommandEnvironment } from './environment.js';

interface Options {
  readonly viewer?: string;
  readonly from?: string;
  readonly to?: string;
  readonly event?: readonly string[];
  readonly reason: string;
  readonly json: boolean;
}

/** `revoke`: counted events become excluded, and what was paid for them is taken back by adjustments. */
export function addRevokeCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('revoke')
    .description("revoke a viewer's events of some days, or single events; their days are run again by themselves")
    .option('--viewer <viewer>', 'u:<id> or d:<uuid>, with --from and --to')
    .option('--from <YYYY-MM-DD>', 'the first day, in Asia/Seoul')
    .option('--to <YYYY-MM-DD>', 'the last day, in Asia/Seoul')
    .option('--event <uuid...>', 'single events by their ids')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: Options) => {
      const result = await (await environment.watchHistory()).revoke(requestOf(options));
      const text = () => `revocation ${result.revocationId} is under way; npm run ops -- audit shows what came of it`;
      printResult({ json: options.json, value: result, text });
    });
}

function requestOf({ viewer, from, to, event, reason }: Options): RevocationRequest {
  if ((viewer === undefined) === (event === undefined)) {
    throw new CommandError('MISUSED', 'give either --viewer with --from and --to, or --event');
  }
  if (event !== undefined) return { eventIds: event.map((id) => parseEventId(id, '--event')), reason };
  return {
    viewer: parseViewer(viewer, '--viewer'),
    from: parseKstDay(from, '--from'),
    to: parseKstDay(to, '--to'),
    reason,
  };
}
