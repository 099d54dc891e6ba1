import type { Command } from 'commander';
import { backUp } from '../backup/back-up.js';
import { restore } from '../backup/restore.js';
import { printResult } from '../output.js';
import { formatNumber } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `backup` and `restore`: the whole database as it is at one instant, in a folder. */
export function addBackupCommands(program: Command, environment: CommandEnvironment): void {
  program
    .command('backup')
    .description('write the database as it is at this instant; nobody is held up (keep the secrets beside it)')
    .requiredOption('--to <folder>', 'a new folder')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ to, json }: { to: string; json: boolean }) => {
      const manifest = await environment.withDatabase(({ primary, primaryEndpoint: server, credentials }) =>
        backUp({ login: { server, credentials }, db: primary, dir: to }),
      );
      printResult({
        json,
        value: manifest,
        text: () => `${manifest.schemas.length} schemas in ${to}: ${formatNumber(manifest.bytes)} bytes`,
      });
    });
  program
    .command('restore')
    .description('bring a backup into a database without data, before the services start')
    .requiredOption('--from <folder>', 'what backup has written')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ from, json }: { from: string; json: boolean }) => {
      const manifest = await environment.withDatabase(({ primary, primaryEndpoint: server, credentials }) =>
        restore({ login: { server, credentials }, db: primary, dir: from }),
      );
      printResult({
        json,
        value: manifest,
        text: () =>
          `the backup of ${manifest.startedAt} is in; start the services, then: npm run ops -- reconcile --all`,
      });
    });
}
