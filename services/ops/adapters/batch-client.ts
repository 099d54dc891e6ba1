import { setTimeout as pause } from 'node:timers/promises';
import type { KstDay } from '#domain';
import { Sidecar, SidecarError } from '#lib/dapr';
import { CommandError } from '../errors.js';
import type { Installation } from './installation.js';

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

/** What became of a request to run a day. `unchanged`: it was done already, and nothing has changed since. */
export type RunRequestAnswer =
  | { readonly kind: 'accepted' | 'joined'; readonly runId: string }
  | { readonly kind: 'unchanged'; readonly run: RunView };

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the call and the status
  readonly body: any;
}

const CALL_TIMEOUT_MS = 10_000;
/** Reads a day's events. */
const RECONCILE_TIMEOUT_MS = 300_000;
/** A batch replica that was killed is back, or its work taken over, well within this. */
const GIVE_UP_AFTER_MS = 30_000;
const RETRY_INTERVAL_MS = 300;

/** The batch service's operator calls, by any of its replicas' sidecars: while one is gone, the other is asked. */
export class BatchClient {
  readonly #sidecars: readonly Sidecar[];
  #preferred = 0;

  constructor(installation: Pick<Installation, 'batchSidecarPorts' | 'daprApiToken'>) {
    const { batchSidecarPorts, daprApiToken } = installation;
    this.#sidecars = batchSidecarPorts.map((httpPort) => new Sidecar({ httpPort, apiToken: daprApiToken }));
  }

  /** @throws CommandError with the problem's code, or BATCH_UNAVAILABLE */
  async requestRun(request: { date: KstDay; job: Job }): Promise<RunRequestAnswer> {
    const { status, body } = await this.#call('POST', 'v1/ops/runs', { body: request, timeoutMs: CALL_TIMEOUT_MS });
    if (status === 200) return { kind: 'unchanged', run: body };
    if (status === 202) return { kind: 'accepted', runId: body.runId };
    if (body?.code === 'RUN_ACTIVE' && typeof body.runId === 'string') return { kind: 'joined', runId: body.runId };
    throw problem(status, body);
  }

  /** @throws CommandError as {@link requestRun} */
  async readRun(runId: string): Promise<RunView> {
    return this.#get(`v1/ops/runs/${encodeURIComponent(runId)}`, CALL_TIMEOUT_MS);
  }

  /** @throws CommandError as {@link requestRun} */
  async reconciliation(day: KstDay): Promise<Reconciliation> {
    return this.#get(`v1/ops/reconciliation?date=${day}`, RECONCILE_TIMEOUT_MS);
  }

  async #get<T>(path: string, timeoutMs: number): Promise<T> {
    const { status, body } = await this.#call('GET', path, { timeoutMs });
    if (status !== 200) throw problem(status, body);
    return body as T;
  }

  /** Asks the sidecars in turn until one gives an answer of the service. Repeating a request starts no second run. */
  async #call(method: 'GET' | 'POST', path: string, options: { body?: unknown; timeoutMs: number }): Promise<Answer> {
    if (this.#sidecars.length === 0) throw new CommandError('BATCH_UNAVAILABLE', 'no sidecar of batch is known');
    const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      let reason = '';
      for (let turn = 0; turn < this.#sidecars.length; turn += 1) {
        const answer = await this.#ask(method, path, options);
        if (typeof answer !== 'string') return answer;
        reason = answer;
        this.#preferred = (this.#preferred + 1) % this.#sidecars.length;
      }
      if (performance.now() > giveUpAtMs) throw new CommandError('BATCH_UNAVAILABLE', reason);
      await pause(RETRY_INTERVAL_MS);
    }
  }

  /** @returns the answer, or why there is none of the service */
  async #ask(
    method: 'GET' | 'POST',
    path: string,
    options: { body?: unknown; timeoutMs: number },
  ): Promise<Answer | string> {
    try {
      const response = await this.#sidecars[this.#preferred]!.forward('batch', path, { method, ...options });
      const text = await response.text();
      const isOfService = response.status < 500 || response.headers.get('content-type')?.includes('problem+json');
      if (!isOfService || response.status === 503) return `batch answered ${response.status}: ${text.slice(0, 200)}`;
      return { status: response.status, body: parse(text) };
    } catch (error) {
      if (error instanceof SidecarError) return error.message;
      throw error;
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: may be anything
function problem(status: number, body: any): CommandError {
  const code = typeof body?.code === 'string' ? body.code : (body?.errorCode ?? `STATUS_${status}`);
  return new CommandError(code, body?.detail ?? body?.message ?? `batch answered with status ${status}`);
}
