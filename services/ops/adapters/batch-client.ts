import type { KstDay } from '#domain';
import type { Installation } from './installation.js';
import { type Answer, refusalOf, ServiceCaller } from './service-caller.js';
import { UserClient } from './user-client.js';

export type Job = 'daily' | 'statistics' | 'settlement';

/** A run as the API shows it. */
export interface RunView {
  readonly runId: string;
  readonly job: Job;
  readonly day: string;
  readonly state: 'queued' | 'running' | 'completed' | 'failed' | 'held';
  readonly phase: 'statistics' | 'settlement' | null;
  readonly error?: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly rowsRead: number;
  readonly rowsPerSecond: number;
  readonly postings: number;
  readonly partitions: { total: number; done: number; running: number; failed: number };
  readonly replicas: readonly { name: string; partitions: number; rows: number }[];
}

export interface Reconciliation {
  readonly day: string;
  readonly events: number;
  readonly counted: number;
  readonly excluded: number;
  readonly statistics: { views: number; playTimeSeconds: number; adViews: number; excluded: number };
  readonly postings: { views: number; adViews: number; amount: number };
  readonly ledger: { entries: number; amount: number };
  readonly differences: readonly { kind: string; [key: string]: unknown }[];
}

/** Days whose raw events were dropped, or would be. */
export interface RetentionResult {
  readonly keptFrom: string;
  readonly trial: boolean;
  readonly days: readonly { readonly day: string; readonly events: number }[];
}

/** What became of a request to run a day. `unchanged`: it was done already, and nothing has changed since. */
export type RunRequestAnswer =
  | { readonly kind: 'accepted' | 'joined'; readonly runId: string }
  | { readonly kind: 'unchanged'; readonly run: RunView };

const CALL_TIMEOUT_MS = 10_000;
const RETENTION_TIMEOUT_MS = 120_000;
/** Reads a day's events. */
const RECONCILE_TIMEOUT_MS = 300_000;
/** The batch service's operator calls as this command line makes them. */
export function batchClientOf(installation: Installation): BatchClient {
  const users = new UserClient(installation);
  return new BatchClient(installation, () => users.operatorToken());
}

/** The batch service's operator calls, by any of its replicas' sidecars: while one is gone, the other is asked. */
export class BatchClient {
  readonly #caller: ServiceCaller;
  readonly #token: () => Promise<string>;

  /** @param token gives an operator's access token */
  constructor(installation: Pick<Installation, 'batchSidecarPorts' | 'daprApiToken'>, token: () => Promise<string>) {
    const { batchSidecarPorts: sidecarPorts, daprApiToken } = installation;
    this.#caller = new ServiceCaller({ appId: 'batch', sidecarPorts, daprApiToken });
    this.#token = token;
  }

  /** @throws CommandError with the problem's code, or BATCH_UNAVAILABLE */
  async requestRun(request: { date: KstDay; job: Job }): Promise<RunRequestAnswer> {
    const { status, body } = await this.#call('POST', 'v1/ops/runs', { body: request, timeoutMs: CALL_TIMEOUT_MS });
    if (status === 200) return { kind: 'unchanged', run: body };
    if (status === 202) return { kind: 'accepted', runId: body.runId };
    if (body?.code === 'RUN_ACTIVE' && typeof body.runId === 'string') return { kind: 'joined', runId: body.runId };
    throw refusalOf({ status, body });
  }

  /** @throws CommandError as {@link requestRun} */
  async readRun(runId: string): Promise<RunView> {
    return this.#get(`v1/ops/runs/${encodeURIComponent(runId)}`, CALL_TIMEOUT_MS);
  }

  /** @throws CommandError as {@link requestRun} */
  async reconciliation(day: KstDay): Promise<Reconciliation> {
    return this.#get(`v1/ops/reconciliation?date=${day}`, RECONCILE_TIMEOUT_MS);
  }

  /** Drops raw events of old days, or says which. @throws CommandError as {@link requestRun} */
  async dropOldDays(request: { keepDays: number; trial: boolean }): Promise<RetentionResult> {
    const options = { body: request, timeoutMs: RETENTION_TIMEOUT_MS };
    const { status, body } = await this.#call('POST', 'v1/ops/retention', options);
    if (status !== 200) throw refusalOf({ status, body });
    return body as RetentionResult;
  }

  async #get<T>(path: string, timeoutMs: number): Promise<T> {
    const { status, body } = await this.#call('GET', path, { timeoutMs });
    if (status !== 200) throw refusalOf({ status, body });
    return body as T;
  }

  /** Repeating a request starts no second run. */
  async #call(method: 'GET' | 'POST', path: string, options: { body?: unknown; timeoutMs: number }): Promise<Answer> {
    return this.#caller.call({ method, path, ...options, token: await this.#token() });
  }
}
