import { type Command, InvalidArgumentError, Option } from 'commander';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

interface AddOptions {
  readonly scope: string;
  readonly days?: number;
  readonly json: boolean;
}

/** `client`: programs that call without a user. */
export function addClientCommand(program: Command, environment: CommandEnvironment): void {
  const client = program.command('client').description('programs that call with a token of their own');
  client
    .command('add <name>')
    .description('make a client and print its token, once')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(['ingest']).makeOptionMandatory())
    .option('--days <number>', 'days until the token expires; never unless given', parseDays)
    .option('--json', 'print the result as JSON', false)
    .action(async (clientId: string, { scope, days, json }: AddOptions) => {
      const request = { clientId, scopes: [scope], ...(days === undefined ? {} : { days }) };
      const added = await (await environment.users()).addClient(request);
      printResult({ json, value: added, text: () => `token of ${clientId}, shown this once: ${added.token}` });
    });
  client
    .command('revoke <name>')
    .description('remove a client: its token is refused within seconds')
    .option('--json', 'print the result as JSON', false)
    .action(async (clientId: string, { json }: { json: boolean }) => {
      const revoked = await (await environment.users()).revokeClient(clientId);
      printResult({ json, value: revoked, text: () => `${clientId} is revoked` });
    });
  client
    .command('list')
    .description('all clients')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const items = await (await environment.users()).clients();
      const rows = items.map(({ clientId, scopes, expiresAt }) => [clientId, scopes.join(' '), expiresAt ?? 'never']);
      const columns = [{ title: 'client' }, { title: 'scopes' }, { title: 'expires' }];
      printResult({ json, value: { items }, text: () => formatTable(columns, rows) });
    });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1) return days;
  throw new InvalidArgumentError('a number of days');
}
