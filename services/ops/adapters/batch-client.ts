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
  readonly settled: boolean;
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

/** What only the whole books show, and the days to prove one by one. */
export interface BooksReconciliation {
  readonly openedOn: string | null;
  readonly lastSettledDay: string | null;
  readonly days: readonly KstDay[];
  readonly open: readonly KstDay[];
  readonly postings: { count: number; amount: number };
  readonly ledger: { entries: number; creators: number; amount: number };
  readonly differences: Reconciliation['differences'];
}

export interface TariffView {
  readonly version: number;
  readonly effectiveFrom: string;
  readonly rounding: string;
  readonly view: readonly { from: number; unitPrice: number }[];
  readonly ad: readonly { from: number; unitPrice: number }[];
  readonly createdAt: string;
  readonly createdBy: string;
}

/** Won. */
export interface Change {
  readonly current: number;
  readonly preview: number;
  readonly difference: number;
}

export interface TariffPreview {
  readonly days: readonly string[];
  readonly postings: number;
  readonly totals: Change;
  readonly creators: readonly (Change & { readonly creatorId: string })[];
  readonly omitted: number;
}

export interface HoldView {
  readonly day: string;
  readonly reason: string;
  readonly heldBy: string;
  readonly heldAt: string;
}

export interface AuditView {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
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

  /** @throws CommandError as {@link requestRun} */
  async reconciliationOfBooks(): Promise<BooksReconciliation> {
    return this.#get('v1/ops/reconciliation/books', RECONCILE_TIMEOUT_MS);
  }

  async tariffs(): Promise<readonly TariffView[]> {
    return (await this.#get<{ items: TariffView[] }>('v1/ops/tariffs', CALL_TIMEOUT_MS)).items;
  }

  /** @throws CommandError TARIFF_CLOSED_DAY, TARIFF_OVERLAP or INVALID */
  addTariff(tariff: unknown): Promise<TariffView> {
    return this.#post('v1/ops/tariffs', tariff, CALL_TIMEOUT_MS);
  }

  /** Writes nothing. */
  previewTariff(request: { tariff: unknown; from: KstDay; to: KstDay }): Promise<TariffPreview> {
    return this.#post('v1/ops/tariffs/preview', request, RECONCILE_TIMEOUT_MS);
  }

  async holds(): Promise<readonly HoldView[]> {
    return (await this.#get<{ items: HoldView[] }>('v1/ops/holds', CALL_TIMEOUT_MS)).items;
  }

  /** @throws CommandError RUN_ACTIVE when the day is being settled */
  hold(request: { date: KstDay; reason: string }): Promise<HoldView> {
    return this.#post('v1/ops/holds', request, CALL_TIMEOUT_MS);
  }

  /** @throws CommandError DAY_NOT_HELD */
  release(request: { date: KstDay; reason: string }): Promise<{ day: string; runId: string | null }> {
    return this.#post('v1/ops/holds/release', request, CALL_TIMEOUT_MS);
  }

  async audit(cursor?: string): Promise<{ items: readonly AuditView[]; nextCursor: string | null }> {
    return this.#get(`v1/ops/audit${cursor === undefined ? '' : `?cursor=${cursor}`}`, CALL_TIMEOUT_MS);
  }

  async #post<T>(path: string, body: unknown, timeoutMs: number): Promise<T> {
    const answer = await this.#call('POST', path, { body, timeoutMs });
    if (answer.status >= 300) throw refusalOf(answer);
    return answer.body as T;
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
