import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { CommandError } from '../errors.js';
import { printResult } from '../output.js';
import type { CommandEnvironment } from './environment.js';

const PASSWORD_BYTES = 18;

interface AddOptions {
  readonly passwordStdin: boolean;
  readonly json: boolean;
}

/** `operator add`: the only way to an operator's account. */
export function addOperatorCommand(program: Command, environment: CommandEnvironment): void {
  const operator = program.command('operator').description('accounts that may run days and change tariffs');
  operator
    .command('add <email>')
    .description('make an operator; an account that is there keeps its password')
    .option('--password-stdin', 'take the password from standard input instead of making one', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (email: string, { passwordStdin, json }: AddOptions) => {
      const password = passwordStdin ? await readPassword() : randomBytes(PASSWORD_BYTES).toString('base64url');
      const added = await (await environment.users()).addOperator({ email, password });
      const isShown = added.isNew && !passwordStdin;
      printResult({
        json,
        value: isShown ? { ...added, password } : added,
        text: () =>
          [
            `${added.email} is an operator (user ${added.userId})`,
            ...(isShown ? [`password, shown this once: ${password}`] : []),
            ...(added.isNew ? [] : ['the account was there: its password is unchanged; sign in again for the role']),
          ].join('\n'),
      });
    });
}

async function readPassword(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '') throw new CommandError('NO_PASSWORD', 'standard input holds no password');
  return password;
}
