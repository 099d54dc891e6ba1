import type { DataSource, QueryRunner } from 'typeorm';
import { DomainError, type KstDay } from '#domain';
import { connectDatabase, type Database } from '#lib/database';
import { createLogger } from '#lib/logging';
import { createRunMetrics } from '#lib/telemetry';
import { credentialsOf } from '../../../deploy/local/stack/index.js';
import { configSchema } from '../../../services/batch/config.js';
import { dealSlices } from '../../../services/batch/domain/dealing.js';
import { type Run, type RunSlice, taskOf } from '../../../services/batch/domain/run.js';
import { findRun, nextRunToDrive } from '../../../services/batch/repositories/run-repository.js';
import { assignSlice, readSlices } from '../../../services/batch/repositories/slice-repository.js';
import { computeStatistics } from '../../../services/batch/usecases/compute-statistics.js';
import type { Context } from '../../../services/batch/usecases/context.js';
import {
  BrokenInvariant,
  completePhase,
  failRun,
  fixReadPosition,
  startRun,
} from '../../../services/batch/usecases/phases.js';
import { settleSlice } from '../../../services/batch/usecases/settle-slice.js';
import { skipSchedule } from '../../support/schedule.js';
import { stack } from './stack.js';

/** Thrown in place of whatever a process would have done after its death. */
export class Crash extends Error {}

/** Where a process dies: at its n-th statement, of all or of a settlement; before or after the server has it. */
export interface Death {
  readonly statement: number;
  readonly isAfter: boolean;
  readonly inSettlement: boolean;
}

const REPLICA = 'in-process';
/** Of the stack, which would take our runs. */
const REPLICAS = ['batch-1', 'batch-2'];

/**
 * The batch service's own use cases and repositories on the stack's primary, by its own account, in this process and
 * one step at a time: the clock is ours, and so is the statement at which the process dies.
 */
export class InProcessBatch {
  today: KstDay;
  #statementsLeft = Number.POSITIVE_INFINITY;
  #inSettlement: number | undefined;
  #isAfter = false;
  #isDead = false;
  /** Called before each statement while the process lives. */
  beforeStatement: (sql: string, values: unknown[]) => Promise<void> = async () => undefined;
  readonly context: Context;

  private constructor(
    private readonly database: Database,
    today: KstDay,
  ) {
    this.today = today;
    const config = configSchema.parse({
      APP_PORT: 1,
      APP_API_TOKEN: 'x'.repeat(16),
      DAPR_HTTP_PORT: 1,
      DAPR_API_TOKEN: 'x'.repeat(16),
      PLAYBILL_REPLICA: REPLICA,
      PLAYBILL_DB_PRIMARY: 'unused:1',
      BATCH_SETTLEMENT_CHUNK_VIDEOS: 2,
    });
    this.context = {
      config,
      database: { ...database, primary: this.#mortal(database.primary), replicas: [] },
      sidecar: undefined as never,
      metrics: createRunMetrics(),
      logger: createLogger({ service: 'batch', replica: REPLICA, level: 'error' }),
      replica: REPLICA,
      now: Date.now,
      today: () => this.today,
      preparePartitions: async () => undefined,
      dropPartitions: async () => undefined,
      lastPartitionBound: async (day) => day,
      wakeOutbox: () => undefined,
    };
  }

  /** The stack's own replicas are down from now on until `close`. */
  static async open(today: string): Promise<InProcessBatch> {
    const { endpoints, secrets, setAutoRestart, isRunning, kill } = stack();
    for (const replica of REPLICAS) {
      await setAutoRestart(replica, false);
      if (await isRunning(replica)) await kill(replica);
    }
    const database = await connectDatabase({
      primary: endpoints.primary,
      replicas: [],
      credentials: credentialsOf(secrets, 'batch'),
      poolSize: 4,
    });
    return new InProcessBatch(database, today as KstDay);
  }

  async close(): Promise<void> {
    await skipSchedule(this.database.primary);
    await this.database.close();
    for (const replica of REPLICAS) await stack().setAutoRestart(replica, true);
    await stack().waitHealthy();
  }

  /** Does `work` as a process that dies at that statement, unless it has fewer. */
  async dyingAt<T>(death: Death, work: () => Promise<T>): Promise<T | 'died'> {
    if (death.inSettlement) this.#inSettlement = death.statement;
    else this.#statementsLeft = death.statement;
    this.#isAfter = death.isAfter;
    try {
      return await work();
    } catch (error) {
      if (!this.#isDead) throw error;
      return 'died';
    } finally {
      this.#statementsLeft = Number.POSITIVE_INFINITY;
      this.#inSettlement = undefined;
      this.#isDead = false;
    }
  }

  /** A death's leases run out. */
  async passLeases(): Promise<void> {
    const { primary } = this.database;
    await primary.query(
      "UPDATE playbill_batch.run_slice SET lease_until = '2000-01-01' WHERE state = 'running' AND owner = ?",
      [REPLICA],
    );
  }

  /** Drives every run that can go on to its end. */
  async drive(): Promise<void> {
    for (;;) {
      const run = await nextRunToDrive(this.context.database.primary);
      if (run === undefined) return;
      try {
        await this.#step(run);
      } catch (error) {
        if (!(error instanceof DomainError || error instanceof BrokenInvariant)) throw error;
        await failRun(this.context, run.runId, error.message);
      }
    }
  }

  findRun(runId: string): Promise<Run | undefined> {
    return findRun(this.database.primary, runId);
  }

  async #step(run: Run): Promise<void> {
    if (run.state === 'queued' || run.phase === null) return startRun(this.context, run.runId);
    if (run.phase === 'settlement' && this.#inSettlement !== undefined) {
      this.#statementsLeft = this.#inSettlement;
      this.#inSettlement = undefined;
    }
    const { primary } = this.context.database;
    const slices = await readSlices(primary, run.runId, run.phase);
    if (slices.every((slice: RunSlice) => slice.state === 'done')) {
      return completePhase(this.context, run.runId, run.phase);
    }
    const readPosition = await fixReadPosition(this.context, run);
    const deals = dealSlices(slices, [{ name: REPLICA, slots: slices.length }]);
    for (const deal of deals) {
      await assignSlice(primary, { runId: run.runId, phase: run.phase, deal, leaseMs: 60_000 });
      const task = taskOf(run, { phase: run.phase, slice: deal.slice, epoch: deal.epoch + 1, readPosition });
      if (run.phase === 'statistics') await computeStatistics(this.context, task);
      else await settleSlice(this.context, task);
    }
  }

  #mortal(source: DataSource): DataSource {
    return new Proxy(source, {
      get: (target, key, receiver) => {
        if (key === 'createQueryRunner') {
          return (mode?: 'master' | 'slave') => this.#mortalRunner(target.createQueryRunner(mode));
        }
        return Reflect.get(target, key, receiver);
      },
    });
  }

  /** The server rolls back what a dead process has left open; so do we. */
  #mortalRunner(runner: QueryRunner): QueryRunner {
    const query = runner.query.bind(runner);
    runner.query = async (sql: string, ...rest: unknown[]) => {
      if (sql === 'ROLLBACK') return query(sql);
      if (this.#isDead) throw new Crash();
      await this.beforeStatement(sql, (rest[0] as unknown[] | undefined) ?? []);
      const isLast = --this.#statementsLeft <= 0;
      if (isLast && !this.#isAfter) this.#die();
      const result = await (query as (...args: unknown[]) => Promise<unknown>)(sql, ...rest);
      if (isLast) this.#die();
      return result;
    };
    return runner;
  }

  #die(): never {
    this.#isDead = true;
    throw new Crash();
  }
}
