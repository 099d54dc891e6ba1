import type { Command } from 'commander';
import { parseIsoWeek } from '#domain';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

interface ReplayOptions {
  readonly week?: string;
  readonly inDoubt: boolean;
  readonly json: boolean;
}

/** `mails`: those that are not tried again by themselves. */
export function addMailsCommand(program: Command, environment: CommandEnvironment): void {
  const mails = program.command('mails').description('statement mails that failed for good');
  mails
    .command('list')
    .description('the failed mails and why')
    .option('--week <YYYY-Www>', 'of this ISO week only')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ week, json }: { week?: string; json: boolean }) => {
      const items = await (await environment.reports()).failedMails(parseWeek(week));
      const columns = ['mail', 'creator', 'week', 'revision', 'attempts', 'failure', 'error'].map((title) => ({
        title,
      }));
      const rows = items.map((mail) => [
        mail.mailId,
        mail.creatorId,
        mail.week,
        mail.revision,
        mail.attempts,
        mail.failure,
        mail.lastError ?? '',
      ]);
      printResult({ json, value: { items }, text: () => (items.length === 0 ? 'none' : formatTable(columns, rows)) });
    });
  mails
    .command('replay [mailIds...]')
    .description('queue failed mails again: those named, or all of a week')
    .option('--week <YYYY-Www>', 'all failed mails of this ISO week')
    .option('--in-doubt', 'with --week: also those that may have been delivered', false)
    .option('--json', 'print the result as JSON', false)
    .action(async (mailIds: string[], options: ReplayOptions) => {
      const reports = await environment.reports();
      const ofWeek = options.week === undefined ? [] : await reports.failedMails(parseWeek(options.week));
      const chosen = ofWeek.filter((mail) => options.inDoubt || mail.failure !== 'IN_DOUBT').map((mail) => mail.mailId);
      const replayed = await reports.replayMails([...mailIds, ...chosen]);
      printResult({ json: options.json, value: { replayed }, text: () => `${replayed} mails are queued again` });
    });
}

function parseWeek(week: string | undefined) {
  return week === undefined ? undefined : parseIsoWeek(week, '--week');
}
