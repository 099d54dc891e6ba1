import type { KstDay } from '#domain';

export const JOBS = ['daily', 'statistics', 'settlement'] as const;
export type Job = (typeof JOBS)[number];

export const PHASES = ['statistics', 'settlement'] as const;
export type Phase = (typeof PHASES)[number];

export type RunState = 'queued' | 'running' | 'completed' | 'failed' | 'held';

/** One run of one day. Instants are UTC text as the database gives them. */
export interface Run {
  readonly runId: string;
  readonly runNumber: number;
  readonly job: Job;
  readonly day: KstDay;
  readonly state: RunState;
  /** The phase that runs or ran last; null while the run is queued. */
  readonly phase: Phase | null;
  readonly requestedBy: string;
  readonly billedOn: KstDay | null;
  /** The tariff of its postings, fixed with billedOn when its settlement is planned. */
  readonly tariffVersion: number | null;
  readonly readPosition: string | null;
  readonly error: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

export type SliceState = 'waiting' | 'running' | 'done';

/** A slice of a phase, as the coordinator sees it. */
export interface RunSlice {
  readonly slice: number;
  readonly state: SliceState;
  readonly epoch: number;
  readonly owner: string | null;
  /** Whether its owner gave no sign of life within the lease. Only meaningful while it is running. */
  readonly leaseExpired: boolean;
  readonly attempts: number;
  readonly weight: number;
  readonly error: string | null;
}

/** What a worker is told: everything that it needs, and the epoch that it must still hold when it commits. */
export interface SliceTask {
  readonly runId: string;
  readonly runNumber: number;
  readonly phase: Phase;
  readonly slice: number;
  readonly epoch: number;
  readonly day: KstDay;
  readonly readPosition: string;
  readonly billedOn: KstDay;
  /** Of the settlement; 0 in a statistics phase. */
  readonly tariffVersion: number;
}

/** The task of a slice that was dealt: at the epoch that dealing has raised it to. */
export function taskOf(run: Run, slice: Pick<SliceTask, 'phase' | 'slice' | 'epoch' | 'readPosition'>): SliceTask {
  return {
    ...slice,
    runId: run.runId,
    runNumber: run.runNumber,
    day: run.day,
    billedOn: run.billedOn ?? run.day,
    tariffVersion: run.tariffVersion ?? 0,
  };
}

/** The first phase of a job. */
export function firstPhase(job: Job): Phase {
  return job === 'settlement' ? 'settlement' : 'statistics';
}

/** The phase after this one, or null when the job ends with it. */
export function nextPhase(job: Job, phase: Phase): Phase | null {
  return job === 'daily' && phase === 'statistics' ? 'settlement' : null;
}
