import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { CommandError } from '../errors.js';
import { loadOpening, type OpeningReport } from '../opening/load-opening.js';
import { printResult } from '../output.js';
import { formatNumber } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `opening`: the lifetime positions that a platform brings in before the books open. */
export function addOpeningCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('opening')
    .description('bring in lifetime positions, once, before the first day is settled')
    .requiredOption('--file <positions.csv>', 'videoId,views,adViews')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ file, json }: { file: string; json: boolean }) => {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new CommandError('FILE_UNREADABLE', `${file} cannot be read (${error.code})`);
      });
      const report = await environment.withDatabase((database) =>
        loadOpening(database, { text, actor: `cli:${userInfo().username}` }),
      );
      const value = { ...report, views: String(report.views), adViews: String(report.adViews) };
      printResult({ json, value, text: () => describe(report) });
    });
}

function describe(report: OpeningReport): string {
  const what = report.unchanged ? 'this file was brought in before, nothing was changed' : 'opening positions are in';
  const [videos, views, adViews] = [report.videos, report.views, report.adViews].map(formatNumber);
  return `${what}: ${videos} videos, ${views} views, ${adViews} ad views`;
}
