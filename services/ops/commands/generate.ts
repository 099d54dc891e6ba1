import type { Command } from 'commander';
import { type GenerateReport, generate, type ReplicaArrival } from '../generator/generate.js';
import { type GenerateInput, parseGenerateRequest } from '../generator/request.js';
import { printResult } from '../output.js';
import { createProgress } from '../progress.js';
import { formatNumber, formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `generate`: a day of watch events, straight into the database. */
export function addGenerateCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('generate')
    .description('make a day of watch events (the same arguments make the same ones; repeating adds nothing)')
    .requiredOption('--day <YYYY-MM-DD>', 'the day, in Asia/Seoul')
    .requiredOption('--events <N>', 'how many watch events')
    .requiredOption('--videos <V>', 'of how many videos: ids 1 to V')
    .requiredOption('--seed <S>', 'a whole number; another seed makes other events')
    .option('--creators <C>', 'of how many creators: ids 1 to C (default: one for ten videos)')
    .option('--json', 'print the result as JSON', false)
    .action(async (options: GenerateInput & { json: boolean }) => {
      const today = environment.today();
      const request = parseGenerateRequest(options, today);
      const progress = createProgress({ label: `generate ${request.day}`, silent: options.json });
      let startedMs = performance.now();
      const rate = (rows: number) => Math.round(rows / ((performance.now() - startedMs) / 1_000));
      try {
        const report = await environment.withDatabase((database) =>
          generate({
            database,
            request,
            today,
            onProgress: ({ rows }) => progress.update(rows, request.events, `${formatNumber(rate(rows))} rows/s`),
            onPhase: (phase) => {
              if (phase === 'events') startedMs = performance.now();
              if (phase === 'replicas') progress.update(request.events, request.events, 'waiting for the replicas');
            },
          }),
        );
        progress.stop();
        printResult({ json: options.json, value: report, text: () => describe(report) });
      } finally {
        progress.stop();
      }
    });
}

function describe(report: GenerateReport): string {
  const outcome =
    report.newEvents === 0
      ? `${report.day} has all ${formatNumber(report.events)} events already: nothing changed`
      : `${report.day}: ${formatNumber(report.newEvents)} new of ${formatNumber(report.events)} events`;
  const videos = `${formatNumber(report.newVideos)} new of ${formatNumber(report.videos)} videos`;
  const { seconds, rowsPerSecond } = report.primary;
  const rows = [['primary', seconds.toFixed(2), formatNumber(rowsPerSecond)], ...report.replicas.map(replicaRow)];
  const table = formatTable(
    [{ title: 'until on' }, { title: 'seconds', align: 'right' }, { title: 'rows/s', align: 'right' }],
    rows,
  );
  return `${outcome}, ${videos}\n\n${table}`;
}

function replicaRow(replica: ReplicaArrival): string[] {
  if (!replica.caughtUp) return [replica.name, replica.reason, ''];
  return [replica.name, replica.seconds.toFixed(2), formatNumber(replica.rowsPerSecond)];
}
