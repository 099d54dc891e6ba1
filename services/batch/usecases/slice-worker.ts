import { isRetryable } from '#lib/database';
import { inSpan, traceparentOfRun } from '#lib/telemetry';
import type { SliceTask } from '../domain/run.js';
import { extendLeases, FencedError, failSlice } from '../repositories/slice-repository.js';
import { computeStatistics } from './compute-statistics.js';
import type { Context } from './context.js';
import { settleSlice } from './settle-slice.js';

const LEASE_RENEWALS = 3;
const RETRY_PAUSE_MAX_MS = 5_000;

/**
 * Computes the slices that are given to this replica, a few at once, and keeps their leases alive meanwhile. What it
 * was given is forgotten with the process: the coordinator sees the lease run out and gives it to another.
 */
export class SliceWorker {
  readonly #running = new Map<string, SliceTask>();
  readonly #timer: NodeJS.Timeout;
  #stopping = false;

  constructor(
    private readonly context: Context,
    private readonly onFinished: (task: SliceTask) => void,
  ) {
    this.#timer = setInterval(() => void this.#renewLeases(), context.config.BATCH_LEASE_MS / LEASE_RENEWALS);
  }

  /** Starts on a slice and returns at once. @returns false when all slots are taken or the replica is stopping */
  accept(task: SliceTask): boolean {
    const key = `${task.runId}/${task.phase}/${task.slice}/${task.epoch}`;
    if (this.#running.has(key)) return true;
    if (this.#stopping || this.#running.size >= this.context.config.BATCH_WORKER_SLOTS) return false;
    this.#running.set(key, task);
    void this.#work(task).finally(() => {
      this.#running.delete(key);
      this.onFinished(task);
    });
    return true;
  }

  /** Takes nothing new and waits for what is running. */
  async stop(): Promise<void> {
    this.#stopping = true;
    while (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(this.#timer);
  }

  async #work(task: SliceTask): Promise<void> {
    const { phase, epoch } = task;
    const { metrics } = this.context;
    // Dealing raises it, so the first worker of a slice has 1.
    if (epoch > 1) metrics.takeovers.inc({ phase });
    const endTimer = metrics.sliceSeconds.startTimer({ phase });
    try {
      await this.#compute(task);
      metrics.slices.inc({ phase, outcome: 'done' });
      endTimer();
    } catch (error) {
      metrics.slices.inc({ phase, outcome: error instanceof FencedError ? 'fenced' : 'failed' });
      await this.#giveBack(task, error).catch((failure: unknown) => {
        this.context.logger.warn(
          { err: failure, slice: task.slice },
          'slice could not be given back, its lease will end',
        );
      });
    }
  }

  /** In the trace of its run. */
  #compute(task: SliceTask): Promise<void> {
    const { phase, runId, day, slice, epoch } = task;
    const attributes = { 'playbill.run': runId, 'playbill.day': day, 'playbill.slice': slice, 'playbill.epoch': epoch };
    return inSpan(`slice of ${phase}`, { attributes, parent: traceparentOfRun(runId) }, () =>
      phase === 'statistics' ? computeStatistics(this.context, task) : settleSlice(this.context, task),
    );
  }

  async #giveBack(task: SliceTask, error: unknown): Promise<void> {
    const { logger, database } = this.context;
    if (error instanceof FencedError) {
      logger.warn({ runId: task.runId, slice: task.slice, epoch: task.epoch }, 'slice was taken over, result dropped');
      return;
    }
    logger.error({ err: error, runId: task.runId, phase: task.phase, slice: task.slice }, 'slice failed');
    await new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_PAUSE_MAX_MS, 250 * task.epoch)));
    const message = error instanceof Error ? error.message : String(error);
    await failSlice(database.primary, task, { error: message, counts: !isRetryable(error) });
  }

  async #renewLeases(): Promise<void> {
    const { config, database, logger } = this.context;
    await extendLeases(database.primary, [...this.#running.values()], config.BATCH_LEASE_MS).catch((error: unknown) =>
      logger.warn({ err: error }, 'leases could not be renewed'),
    );
  }
}
