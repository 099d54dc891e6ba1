import { SLICE_COUNT } from '#domain';
import { fromDatetime } from '#lib/database';
import { nextPhase, type Run } from '../domain/run.js';
import { toInstant } from '../repositories/rows.js';
import { listRuns } from '../repositories/run-repository.js';
import { type SliceTotals, sliceTotals } from '../repositories/slice-repository.js';
import type { Context } from './context.js';

/** A run as the API shows it. Instants are RFC 3339 UTC. */
export interface RunView {
  readonly runId: string;
  readonly job: Run['job'];
  readonly day: string;
  readonly state: Run['state'];
  readonly phase: Run['phase'];
  readonly requestedBy: string;
  readonly error?: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Events read by the statistics phase so far. */
  readonly rowsRead: number;
  /** Events read a second since the run started. */
  readonly rowsPerSecond: number;
  /** Postings made so far. */
  readonly postings: number;
  readonly partitions: { total: number; done: number; running: number; failed: number };
  readonly replicas: { name: string; partitions: number; rows: number }[];
}

/** Describes a run from its slices. */
export async function viewRun(context: Context, run: Run): Promise<RunView> {
  const totals = await sliceTotals(context.database.primary, run.runId);
  const sum = (pick: (t: SliceTotals) => number) => totals.reduce((all, t) => all + pick(t), 0);
  const rowsRead = sum((t) => (t.phase === 'statistics' ? t.rowsRead : 0));
  const planned = sum((t) => t.partitions);
  const isComingNext = run.phase !== null && run.state !== 'completed' && nextPhase(run.job, run.phase) !== null;
  return {
    runId: run.runId,
    job: run.job,
    day: run.day,
    state: run.state,
    phase: run.phase,
    requestedBy: run.requestedBy,
    ...(run.error === null ? {} : { error: run.error }),
    createdAt: toInstant(run.createdAt)!,
    startedAt: toInstant(run.startedAt),
    endedAt: toInstant(run.endedAt),
    rowsRead,
    rowsPerSecond: Math.round(rowsRead / Math.max(0.001, elapsedSeconds(run))),
    postings: sum((t) => (t.phase === 'settlement' ? t.rowsWritten : 0)),
    partitions: {
      total: planned + (isComingNext ? SLICE_COUNT : 0),
      done: sum((t) => (t.state === 'done' ? t.partitions : 0)),
      running: sum((t) => (t.state === 'running' ? t.partitions : 0)),
      failed: sum((t) => (t.failed && t.state !== 'done' ? t.partitions : 0)),
    },
    replicas: sharesByReplica(totals),
  };
}

function sharesByReplica(totals: readonly SliceTotals[]): RunView['replicas'] {
  const shares = new Map<string, { partitions: number; rows: number }>();
  for (const t of totals) {
    if (t.state !== 'done' || t.owner === null) continue;
    const share = shares.get(t.owner) ?? { partitions: 0, rows: 0 };
    share.partitions += t.partitions;
    if (t.phase === 'statistics') share.rows += t.rowsRead;
    shares.set(t.owner, share);
  }
  return [...shares].map(([name, share]) => ({ name, ...share })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function elapsedSeconds(run: Run): number {
  if (run.startedAt === null) return 0;
  const end = run.endedAt === null ? Date.now() : fromDatetime(run.endedAt);
  return (end - fromDatetime(run.startedAt)) / 1000;
}

const PAGE_ROWS = 50;

/** Runs from the newest on, a page at a time. The cursor is opaque to clients. */
export async function viewRuns(
  context: Context,
  cursor: number | undefined,
): Promise<{ items: RunView[]; nextCursor: string | null }> {
  const runs = await listRuns(context.database.primary, PAGE_ROWS + 1, cursor);
  const page = runs.slice(0, PAGE_ROWS);
  const last = page.at(-1);
  return {
    items: await Promise.all(page.map((run) => viewRun(context, run))),
    nextCursor: runs.length > PAGE_ROWS && last !== undefined ? String(last.runNumber) : null,
  };
}
