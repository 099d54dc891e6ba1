import type { Pool } from 'mysql2/promise';
import type { KstDay } from '#domain';
import { kstDayOf } from '#domain';
import {
  connectPool,
  credentialsOf,
  poll,
  type Secrets,
  type StackEndpoints,
  type StateLayout,
} from '../../deploy/local/stack/index.js';
import { type BatchClient, batchClientOf, type RunView } from '../../services/ops/adapters/batch-client.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { type ReportClient, reportClientOf } from '../../services/ops/adapters/report-client.js';
import { generate } from '../../services/ops/generator/generate.js';
import type { SmtpSink } from '../stack/support/smtp-sink.js';
import type { Clocks } from './faults/clocks.js';
import type { SlowLine } from './faults/slow-line.js';
import type { TrafficVideo } from './traffic.js';

const RUN_DEADLINE_MS = 120_000;

/** What is needed of the supervisor of a stack, in this process or another. */
export interface ChaosStack {
  readonly layout: StateLayout;
  readonly endpoints: StackEndpoints;
  readonly secrets: Secrets;
  processNames(): string[] | Promise<string[]>;
  kill(name: string): Promise<void>;
  pause(name: string): void | Promise<void>;
  resume(name: string): void | Promise<void>;
  setAutoRestart(name: string, on: boolean): void | Promise<void>;
  waitHealthy(deadlineMs?: number): Promise<void>;
}

/** What was built around a stack so that it can be hurt. */
export interface Rig {
  /** The mail server of the report service. */
  readonly sink: SmtpSink;
  /** What lies between the services and the database replicas, where the caller owns the stack. */
  readonly lines?: readonly SlowLine[];
  /** The services' clocks, where the caller owns the stack. */
  readonly clocks?: Clocks;
}

/** What scenarios act on: a running stack, seen as its operators and clients see it. */
export class World {
  /**
   * Kills every process at once and starts them again on the same data, where the caller owns the stack.
   * @returns when they were dead, in ms of `performance.now`
   */
  crash: (() => Promise<number>) | undefined;
  #db: Pool;
  #batch: BatchClient;
  #reports: ReportClient;

  constructor(
    public stack: ChaosStack,
    readonly ingestToken: string,
    readonly rig: Rig,
  ) {
    this.#db = this.#connect();
    this.#batch = batchClientOf(this.#installation);
    this.#reports = reportClientOf(this.#installation);
  }

  get db(): Pool {
    return this.#db;
  }

  get gatewayUrl(): string {
    const url = this.stack.endpoints.gatewayUrl;
    if (url === undefined) throw new Error('the stack has no gateway');
    return url;
  }

  get #installation() {
    return installationOf(this.stack.endpoints, this.stack.secrets);
  }

  /** The operator's calls. */
  get batch(): BatchClient {
    return this.#batch;
  }

  /** The operator's calls about statements. */
  get reports(): ReportClient {
    return this.#reports;
  }

  /** Goes on with a stack that was started anew on the same data. */
  async replaceStack(stack: ChaosStack): Promise<void> {
    await this.#db.end().catch(() => undefined);
    this.stack = stack;
    this.#db = this.#connect();
    this.#batch = batchClientOf(this.#installation);
    this.#reports = reportClientOf(this.#installation);
  }

  async close(): Promise<void> {
    await this.#db.end();
  }

  /** Makes events of the day by the bulk way, so that a run of it has something to do. */
  async fillDay(
    day: KstDay,
    { events, videos, creators, seed }: { events: number; videos: number; creators: number; seed: number },
  ): Promise<void> {
    const database = await openOperatorDatabase(this.#installation);
    try {
      const request = { day, events, videos, creators, seed };
      await generate({ database, request, today: kstDayOf(Date.now()) });
    } finally {
      await database.close();
    }
  }

  async videos(limit: number): Promise<TrafficVideo[]> {
    const found = await this.rows<[string, number]>(
      'SELECT video_id, length_seconds FROM playbill_video.video ORDER BY video_id LIMIT ?',
      [limit],
    );
    return found.map(([videoId, lengthSeconds]) => ({
      videoId: BigInt(videoId),
      lengthSeconds: Number(lengthSeconds),
    }));
  }

  /** Asks for a run of the day, however often it takes. @returns the id of the run that does it */
  requestRun(day: KstDay): Promise<string> {
    return poll(
      async () => {
        const answer = await this.batch.requestRun({ date: day, job: 'daily' });
        return answer.kind === 'unchanged' ? answer.run.runId : answer.runId;
      },
      { what: `a run of ${day} to be accepted`, deadlineMs: RUN_DEADLINE_MS, intervalMs: 200 },
    );
  }

  async waitForRun(runId: string): Promise<RunView> {
    return poll(
      async () => {
        const view = await this.batch.readRun(runId);
        return view.state === 'completed' || view.state === 'failed' ? view : undefined;
      },
      { what: `the end of run ${runId}`, deadlineMs: RUN_DEADLINE_MS, intervalMs: 100 },
    );
  }

  /** Runs the day until nothing of it has changed since the last run. */
  async settle(day: KstDay): Promise<void> {
    for (let round = 0; round < 10; round++) {
      const view = await this.waitForRun(await this.requestRun(day));
      if (view.state === 'failed') throw new Error(`run ${view.runId} of ${day} failed: ${view.error}`);
      const [[dirty] = ['0']] = await this.rows<[string]>(
        'SELECT COUNT(*) FROM playbill_watch.dirty_slice WHERE day = ?',
        [day],
      );
      if (Number(dirty) === 0) return;
    }
    throw new Error(`${day} still changes after 10 runs`);
  }

  /** Waits until a run has finished that many slices of a phase. */
  async slicesDone(runId: string, phase: 'statistics' | 'settlement', slices: number): Promise<void> {
    await poll(
      async () => {
        const [[done] = ['0']] = await this.rows<[string]>(
          `SELECT COUNT(*) FROM playbill_batch.run_slice WHERE run_id = ? AND phase = ? AND state = 'done'`,
          [runId, phase],
        );
        return Number(done) >= slices || undefined;
      },
      { what: `${slices} slices of ${phase}`, deadlineMs: RUN_DEADLINE_MS, intervalMs: 5 },
    );
  }

  /** The replica that drives the runs now. */
  async coordinator(): Promise<string> {
    return poll(
      async () => {
        const [[owner] = ['']] = await this.rows<[string]>('SELECT owner FROM playbill_batch.coordinator_lease');
        return owner === '' ? undefined : owner;
      },
      { what: 'a coordinator', deadlineMs: 30_000 },
    );
  }

  async rows<T extends unknown[]>(sql: string, values: unknown[] = []): Promise<T[]> {
    const [found] = await this.#db.query({ sql, values, rowsAsArray: true });
    return found as unknown as T[];
  }

  #connect(): Pool {
    return connectPool(this.stack.endpoints.primary, credentialsOf(this.stack.secrets, 'admin'));
  }
}
