import type { Command } from 'commander';
import { printResult } from '../output.js';
import type { CommandEnvironment } from './environment.js';

/** `keys rotate`: a new signing key before its time. */
export function addKeysCommand(program: Command, environment: CommandEnvironment): void {
  const keys = program.command('keys').description('the keys that sign access tokens');
  keys
    .command('rotate')
    .description('make a new signing key now; older ones verify what they have signed until it expires')
    .option('--revoke-older', 'after a theft: whatever was signed before is refused', false)
    .option('--json', 'print the result as JSON', false)
    .action(async ({ revokeOlder, json }: { revokeOlder: boolean; json: boolean }) => {
      const rotated = await (await environment.users()).rotateKeys({ revokesOlder: revokeOlder });
      printResult({ json, value: rotated, text: () => `the new signing key is ${rotated.kid}` });
    });
}
