import { setTimeout as pause } from 'node:timers/promises';
import type { KstDay } from '#domain';
import type { BatchClient, Job, RunView } from './adapters/batch-client.js';
import { CommandError } from './errors.js';
import { createProgress } from './progress.js';
import { formatNumber, formatTable } from './tables.js';

const POLL_INTERVAL_MS = 200;

export interface RunOutcome {
  /** Whether it was done before, and nothing had changed since. */
  readonly unchanged: boolean;
  readonly run: RunView;
}

/**
 * Runs a day, or joins the run that it has, and shows how far it is until it ends.
 * @throws CommandError with the code of the refusal (SETTLEMENT_GAP, DAY_NOT_OVER, …), RUN_FAILED or RUN_HELD
 */
export async function runDay(
  batch: BatchClient,
  request: { readonly date: KstDay; readonly job: Job; readonly silent: boolean },
): Promise<RunOutcome> {
  const { date, job } = request;
  const answer = await batch.requestRun({ date, job });
  if (answer.kind === 'unchanged') return { unchanged: true, run: answer.run };
  const progress = createProgress({ label: `${job} ${date}`, silent: request.silent });
  try {
    for (;;) {
      const run = await batch.readRun(answer.runId);
      if (run.partitions.total > 0) {
        progress.update(run.partitions.done, run.partitions.total, describeProgress(run));
      }
      if (run.state === 'completed') return { unchanged: false, run };
      if (run.state === 'failed')
        throw new CommandError('RUN_FAILED', `run ${run.runId}: ${run.error ?? 'no reason given'}`);
      if (run.state === 'held') throw new CommandError('RUN_HELD', `run ${run.runId}: ${run.error ?? 'held'}`);
      await pause(POLL_INTERVAL_MS);
    }
  } finally {
    progress.stop();
  }
}

function describeProgress(run: RunView): string {
  const work =
    run.phase === 'settlement'
      ? `settlement, ${formatNumber(run.postings)} postings`
      : `${run.phase ?? run.state}, ${formatNumber(run.rowsPerSecond)} rows/s`;
  const failed = run.partitions.failed > 0 ? `, ${run.partitions.failed} being tried again` : '';
  return `${work}${failed}  ${describeShares(run)}`.trimEnd();
}

/** Each replica's share of the slices that are done, e.g. `batch-1 52% batch-2 48%`. */
export function describeShares({ replicas }: Pick<RunView, 'replicas'>): string {
  const done = replicas.reduce((sum, replica) => sum + replica.partitions, 0);
  if (done === 0) return '';
  return replicas.map(({ name, partitions }) => `${name} ${Math.round((100 * partitions) / done)}%`).join(' ');
}

/** Seconds from a run's start to its end. */
export function runSeconds(run: RunView): number {
  if (run.startedAt === null || run.endedAt === null) return 0;
  return (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1_000;
}

/** A table of runs that have ended. */
export function formatOutcomes(outcomes: readonly RunOutcome[]): string {
  return formatTable(
    [
      { title: 'day' },
      { title: 'job' },
      { title: 'state' },
      { title: 'seconds', align: 'right' },
      { title: 'events', align: 'right' },
      { title: 'rows/s', align: 'right' },
      { title: 'postings', align: 'right' },
      { title: 'slices by replica' },
    ],
    outcomes.map(({ run, unchanged }) => [
      run.day,
      run.job,
      unchanged ? 'done before' : run.state,
      runSeconds(run).toFixed(2),
      run.rowsRead,
      run.rowsPerSecond,
      run.postings,
      describeShares(run),
    ]),
  );
}
