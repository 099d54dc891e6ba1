import type { Command } from 'commander';
import { type ReplicaStatus, type RunStatus, readStatus, type Status } from '../adapters/status-queries.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `status`: what has been done, what is at work, what waits. */
export function addStatusCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('status')
    .description('runs, workers, the last settled day, days that wait, and how far the replicas are')
    .option('--json', 'print the result as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const status = await environment.withDatabase(readStatus);
      printResult({ json, value: status, text: () => formatStatus(status) });
    });
}

function formatStatus(status: Status): string {
  return [
    `last settled day       ${status.lastSettledDay ?? 'none'}`,
    `last day of statistics ${status.lastStatisticsDay ?? 'none'}`,
    '',
    formatRuns(status.runs),
    '',
    formatWorkers(status),
    '',
    formatReplicas(status.replicas),
    '',
    formatDirty(status),
  ].join('\n');
}

function formatRuns(runs: readonly RunStatus[]): string {
  if (runs.length === 0) return 'no runs yet';
  return formatTable(
    [
      { title: 'day' },
      { title: 'job' },
      { title: 'state' },
      { title: 'phase' },
      { title: 'slices', align: 'right' },
      { title: 'events', align: 'right' },
      { title: 'postings', align: 'right' },
      { title: 'run' },
      { title: 'error' },
    ],
    runs.map((run) => [
      run.day,
      run.job,
      run.state,
      run.phase ?? '',
      `${run.slices.done}/${run.slices.total}`,
      run.rowsRead,
      run.postings,
      run.runId,
      run.error ?? '',
    ]),
  );
}

function formatWorkers({ workers }: Status): string {
  if (workers.length === 0) return 'no workers';
  return formatTable(
    [{ title: 'worker' }, { title: 'state' }, { title: 'last seen', align: 'right' }],
    workers.map(({ name, alive, silentSeconds }) => [
      name,
      alive ? 'alive' : 'silent',
      `${silentSeconds.toFixed(1)} s ago`,
    ]),
  );
}

function formatReplicas(replicas: readonly ReplicaStatus[]): string {
  if (replicas.length === 0) return 'no replicas';
  return formatTable(
    [{ title: 'replica' }, { title: 'behind', align: 'right' }, { title: 'error' }],
    replicas.map(({ name, lagSeconds, error }) => [
      name,
      lagSeconds === null ? 'unknown' : `${lagSeconds} s`,
      error ?? '',
    ]),
  );
}

function formatDirty({ dirty }: Status): string {
  if (dirty.length === 0) return 'no days wait to be run';
  return formatTable(
    [{ title: 'waits to be run' }, { title: 'slices', align: 'right' }],
    dirty.map(({ day, slices }) => [day, slices]),
  );
}
