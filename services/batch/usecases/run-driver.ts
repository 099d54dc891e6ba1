import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '#domain';
import { isRetryable } from '#lib/database';
import { inTrace, traceparentOfRun } from '#lib/telemetry';
import { type Deal, dealSlices, type Worker } from '../domain/dealing.js';
import { type Phase, type Run, type RunSlice, type SliceTask, taskOf } from '../domain/run.js';
import { nextRunToDrive } from '../repositories/run-repository.js';
import { assignSlice, readSlices, releaseSlice } from '../repositories/slice-repository.js';
import { holdCoordinatorLease, liveWorkers, releaseCoordinatorLease } from '../repositories/worker-repository.js';
import type { Context } from './context.js';
import type { PartitionDirectory } from './partition-directory.js';
import { BrokenInvariant, completePhase, failRun, fixReadPosition, startRun } from './phases.js';

export interface RunDriverOptions {
  readonly context: Context;
  readonly directory: PartitionDirectory;
  /** Hands a slice to a partition actor. @returns whether its worker took it, and which worker that is */
  readonly handOut: (actorId: string, task: SliceTask) => Promise<{ accepted: boolean; worker: string }>;
}

/** How often the driver looks by itself; a finished slice wakes it sooner. */
const LOOK_INTERVAL_MS = 200;
const COORDINATOR_LEASE_MS = 5_000;
const WORKER_ALIVE_MS = 4_000;
/** How long a worker that could not be called is left alone. */
const SUSPECT_MS = 1_500;
const ERROR_PAUSE_MS = 500;
/** After this many rounds in which no worker could be called, another replica may do better. */
const FRUITLESS_ROUNDS_MAX = 10;

/**
 * Drives runs from queued to completed: deals slices to free workers, finds those whose worker died, ends phases.
 * At most one replica drives at a time (a lease in the database); all that it knows is in the database, so another
 * goes on where it stopped. Its mistakes cannot spoil a result: slices are fenced, and phases end under a lock.
 */
export class RunDriver {
  #loop: Promise<void> | undefined;
  #stopping = false;
  #wake: () => void = () => undefined;
  #round = 0;
  #fruitlessRounds = 0;
  readonly #suspects = new Map<string, number>();

  constructor(private readonly options: RunDriverOptions) {}

  /** Begins to drive unless this replica does already. Returns at once. */
  ensureRunning(): void {
    if (this.#stopping) return;
    this.#wake();
    this.#loop ??= this.#drive().finally(() => {
      this.#loop = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#loop;
  }

  async #drive(): Promise<void> {
    const { context } = this.options;
    const { primary } = context.database;
    let leaseRenewedAt = 0;
    try {
      while (!this.#stopping) {
        if (performance.now() - leaseRenewedAt > COORDINATOR_LEASE_MS / 3) {
          if (!(await holdCoordinatorLease(primary, context.replica, COORDINATOR_LEASE_MS))) return;
          leaseRenewedAt = performance.now();
        }
        const run = await nextRunToDrive(primary);
        if (run === undefined || this.#fruitlessRounds > FRUITLESS_ROUNDS_MAX) break;
        // What a step asks of others and tells them belongs to the run, whoever happened to wake the driver.
        await inTrace(traceparentOfRun(run.runId), () => this.#step(run));
      }
      this.#fruitlessRounds = 0;
      await releaseCoordinatorLease(primary, context.replica);
    } catch (error) {
      context.logger.warn({ err: error }, 'the driver of runs stops for now; a reminder starts it again');
    }
  }

  async #step(run: Run): Promise<void> {
    const { context } = this.options;
    try {
      if (run.state === 'queued' || run.phase === null) {
        await startRun(context, run.runId);
        return;
      }
      await this.#advance(run, run.phase);
    } catch (error) {
      await this.#afterError(run, error);
    }
  }

  async #advance(run: Run, phase: Phase): Promise<void> {
    const { context } = this.options;
    const slices = await readSlices(context.database.primary, run.runId, phase);
    if (slices.every((slice) => slice.state === 'done')) {
      await completePhase(context, run.runId, phase);
      return;
    }
    const hopeless = slices.find((slice) => slice.attempts >= context.config.BATCH_SLICE_ATTEMPTS_MAX);
    if (hopeless !== undefined) {
      await failRun(context, run.runId, `slice ${hopeless.slice} of ${phase}: ${hopeless.error ?? 'failed too often'}`);
      return;
    }
    const finished = this.#nextWake();
    await this.#deal(run, phase, slices);
    await finished;
  }

  async #deal(run: Run, phase: Phase, slices: readonly RunSlice[]): Promise<void> {
    const { context, directory } = this.options;
    const readPosition = await fixReadPosition(context, run);
    const members = await liveWorkers(context.database.primary, WORKER_ALIVE_MS);
    await directory.refresh(members.map((member) => `${member.name}@${member.incarnation}`));
    const deals = dealSlices(slices, this.#callable(members));
    const results = await Promise.all(deals.map((deal) => this.#handOut({ run, phase, deal, readPosition })));
    if (results.some((accepted) => accepted)) this.#fruitlessRounds = 0;
    else if (members.length === 0 || results.length > 0) this.#fruitlessRounds += 1;
  }

  #callable(members: readonly { name: string }[]): Worker[] {
    const slots = this.options.context.config.BATCH_WORKER_SLOTS;
    return members
      .filter(({ name }) => (this.#suspects.get(name) ?? 0) < performance.now())
      .filter(({ name }) => this.options.directory.idOn(name, 0) !== undefined)
      .map(({ name }) => ({ name, slots }));
  }

  async #handOut(assignment: { run: Run; phase: Phase; deal: Deal; readPosition: string }): Promise<boolean> {
    const { run, phase, deal, readPosition } = assignment;
    const { context, directory, handOut } = this.options;
    const { primary } = context.database;
    const leaseMs = context.config.BATCH_LEASE_MS;
    if (!(await assignSlice(primary, { runId: run.runId, phase, deal, leaseMs }))) return false;
    const task = taskOf(run, { phase, slice: deal.slice, epoch: deal.epoch + 1, readPosition });
    const actorId = directory.idOn(deal.worker, this.#round++);
    const answer = await this.#call(() => handOut(actorId!, task));
    if (answer?.accepted === true && answer.worker === deal.worker) return true;
    if (answer === undefined || answer.worker !== deal.worker) {
      this.#suspects.set(deal.worker, performance.now() + SUSPECT_MS);
      directory.forget();
    }
    if (answer?.accepted !== true) {
      await releaseSlice(primary, { runId: run.runId, phase, slice: deal.slice, epoch: task.epoch });
    }
    return answer?.accepted === true;
  }

  async #call<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.options.context.logger.warn({ err: error }, 'a partition actor could not be called');
      return undefined;
    }
  }

  async #afterError(run: Run, error: unknown): Promise<void> {
    const { context } = this.options;
    if (error instanceof BrokenInvariant || error instanceof DomainError) {
      await failRun(context, run.runId, error.message);
      return;
    }
    if (!isRetryable(error)) context.logger.error({ err: error, runId: run.runId }, 'a step of the run failed');
    await pause(ERROR_PAUSE_MS);
  }

  #nextWake(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_INTERVAL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
