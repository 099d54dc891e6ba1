import { Command, CommanderError } from 'commander';
import { addAuditCommand } from './commands/audit.js';
import { addBackfillCommand } from './commands/backfill.js';
import { addBackupCommands } from './commands/backup.js';
import { addClientCommand } from './commands/client.js';
import { addDeadLettersCommand } from './commands/dead-letters.js';
import { processEnvironment } from './commands/environment.js';
import { addGenerateCommand } from './commands/generate.js';
import { addHoldCommands } from './commands/hold.js';
import { addKeysCommand } from './commands/keys.js';
import { addMailsCommand } from './commands/mails.js';
import { addOpeningCommand } from './commands/opening.js';
import { addOperatorCommand } from './commands/operator.js';
import { addReconcileCommand } from './commands/reconcile.js';
import { addRetentionCommand } from './commands/retention.js';
import { addRevokeCommand } from './commands/revoke.js';
import { addRunCommand } from './commands/run.js';
import { addStatementsCommand } from './commands/statements.js';
import { addStatusCommand } from './commands/status.js';
import { addTariffCommands } from './commands/tariff.js';
import { addTopCommand } from './commands/top.js';
import { describeFailure } from './output.js';

const FAILED = 1;
const MISUSED = 2;
/** Plus the signal's number, as shells have it. */
const STOPPED = 128;

function createProgram(): Command {
  const program = new Command('ops').description("Playbill's command line for operators").exitOverride();
  const adders = [
    addStatusCommand,
    addRunCommand,
    addBackfillCommand,
    addReconcileCommand,
    addOpeningCommand,
    addTariffCommands,
    addHoldCommands,
    addRevokeCommand,
    addAuditCommand,
    addTopCommand,
    addGenerateCommand,
    addRetentionCommand,
    addBackupCommands,
    addOperatorCommand,
    addClientCommand,
    addKeysCommand,
    addStatementsCommand,
    addMailsCommand,
    addDeadLettersCommand,
  ];
  for (const add of adders) add(program, processEnvironment);
  return program;
}

/** Runs the command of the arguments; a failure is one line and an exit code other than 0. */
async function main(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : MISUSED;
      return;
    }
    const failure = describeFailure(error);
    process.exitCode = FAILED;
    process.stderr.write(`error: ${failure.code}: ${failure.detail}\n`);
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: failure }, null, 2)}\n`);
  }
}

process.once('SIGINT', () => process.exit(STOPPED + 2));
process.once('SIGTERM', () => process.exit(STOPPED + 15));
await main();
