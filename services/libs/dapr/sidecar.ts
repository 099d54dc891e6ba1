import { request } from 'undici';
import { currentTraceparent, traceHeaders } from '#lib/telemetry';
import { TRACE_ATTRIBUTE } from './subscriptions.js';

/** Calls to this app's own sidecar, each with a deadline: the SDK's client has none. */

export interface SidecarOptions {
  readonly httpPort: number;
  readonly apiToken: string;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface PublishedEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly data?: unknown;
  /** `data` as JSON text, where it is there already. */
  readonly json?: string;
}

/** An answer that is not 2xx, or none at all (`status` 0: refused, reset or timed out). */
export class SidecarError extends Error {
  constructor(
    readonly target: string,
    readonly status: number,
    readonly body: string,
    options?: ErrorOptions,
  ) {
    super(`${target}: ${status === 0 ? 'no answer' : `status ${status}`} ${body.slice(0, 300)}`, options);
  }
}

/** An answer of the sidecar, whole. */
export class SidecarResponse {
  constructor(
    readonly status: number,
    private readonly headers: Readonly<Record<string, string | string[] | undefined>>,
    readonly text: string,
  ) {}

  /** @returns undefined when it is not there, the first value when it is there more than once */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** @throws SyntaxError when it is no JSON */
  json<T>(): T {
    return JSON.parse(this.text) as T;
  }
}

const READY_POLL_MS = 50;

/** One app's view of Dapr's HTTP API. */
export class Sidecar {
  readonly #base: string;
  readonly #apiToken: string;

  constructor(options: SidecarOptions) {
    this.#base = `http://127.0.0.1:${options.httpPort}/v1.0`;
    this.#apiToken = options.apiToken;
  }

  /** Waits until the sidecar can be called (its components are loaded). @throws after `timeoutMs` */
  async waitReady(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const ready = await this.#request('/healthz/outbound', { timeoutMs: 1_000 }).then(
        () => true,
        () => false,
      );
      if (ready) return;
      if (Date.now() > deadline) throw new Error(`the sidecar was not ready within ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  /** All keys of a secret of the secret store `secrets`. @throws SidecarError when this app may not read it */
  async secret(name: string): Promise<Record<string, string>> {
    return (await this.#request(`/secrets/secrets/${name}`, { timeoutMs: 5_000 })).json();
  }

  /** Invokes a method (path, with its query) of another app. @returns the response, 2xx only @throws SidecarError */
  invoke(appId: string, path: string, options: CallOptions): Promise<SidecarResponse> {
    return this.#request(`/invoke/${appId}/method/${path}`, options);
  }

  /** Like {@link invoke}, but gives every response as it came, whatever its status. @throws SidecarError on none */
  forward(appId: string, path: string, options: CallOptions): Promise<SidecarResponse> {
    return this.#send(`/invoke/${appId}/method/${path}`, options);
  }

  /** Calls an actor's method with one argument. @returns what the method returned */
  async actor<T>(type: string, id: string, method: string, argument: unknown, timeoutMs: number): Promise<T> {
    const { text } = await this.#request(`/actors/${type}/${id}/method/${method}`, {
      method: 'POST',
      body: [argument],
      timeoutMs,
    });
    return (text === '' || text === 'undefined' ? undefined : JSON.parse(text)) as T;
  }

  /** Registers (or replaces) a reminder of an actor. Durations are Go's, e.g. `5s`. */
  async setReminder(reminder: { type: string; id: string; name: string; dueTime: string; period: string }) {
    await this.#request(`/actors/${reminder.type}/${reminder.id}/reminders/${reminder.name}`, {
      method: 'POST',
      body: { dueTime: reminder.dueTime, period: reminder.period, data: '"wake"' },
      timeoutMs: 5_000,
    });
  }

  async deleteReminder(reminder: { type: string; id: string; name: string }): Promise<void> {
    await this.#request(`/actors/${reminder.type}/${reminder.id}/reminders/${reminder.name}`, {
      method: 'DELETE',
      timeoutMs: 5_000,
    });
  }

  /** Publishes one CloudEvent; its id makes a repeat recognisable. @throws SidecarError when the broker did not take it */
  async publish(topic: string, { data, json, ...event }: PublishedEvent): Promise<void> {
    const trace = { [TRACE_ATTRIBUTE]: currentTraceparent() };
    const head = JSON.stringify({ specversion: '1.0', datacontenttype: 'application/json', ...trace, ...event });
    await this.#request(`/publish/pubsub/${topic}`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: `${head.slice(0, -1)},"data":${json ?? JSON.stringify(data ?? null)}}`,
      timeoutMs: 5_000,
    });
  }

  /** Reads a key of the state component `store`. @returns undefined when it is not there */
  async getState<T>(store: string, key: string): Promise<T | undefined> {
    const response = await this.#request(`/state/${store}/${encodeURIComponent(key)}`, { timeoutMs: 2_000 });
    return response.status === 204 ? undefined : response.json<T>();
  }

  /** As getState, with the version that {@link compareAndSetState} takes. */
  async getStateEntry<T>(store: string, key: string): Promise<{ value: T | undefined; etag: string | undefined }> {
    const response = await this.#request(`/state/${store}/${encodeURIComponent(key)}`, { timeoutMs: 2_000 });
    const etag = response.header('etag');
    return { value: response.status === 204 ? undefined : response.json<T>(), etag };
  }

  /** Writes a key if its version is still `etag` (or, without one, if it is not there). @throws SidecarError 409 if not */
  async compareAndSetState(store: string, entry: { key: string; value: unknown; etag: string | undefined }) {
    const { key, value, etag } = entry;
    const body = [{ key, value, ...(etag === undefined ? {} : { etag }), options: { concurrency: 'first-write' } }];
    await this.#request(`/state/${store}`, { method: 'POST', body, timeoutMs: 2_000 });
  }

  async setState(store: string, key: string, value: unknown, ttlSeconds?: number): Promise<void> {
    const metadata = ttlSeconds === undefined ? {} : { metadata: { ttlInSeconds: String(ttlSeconds) } };
    await this.#request(`/state/${store}`, { method: 'POST', body: [{ key, value, ...metadata }], timeoutMs: 2_000 });
  }

  /** A call to a state component as Dapr's API has it, e.g. `/bulk`. @throws SidecarError, 409 for a wrong etag */
  state(store: string, call: { path: '' | '/bulk'; body: unknown; timeoutMs: number }): Promise<SidecarResponse> {
    const { path, body, timeoutMs } = call;
    return this.#request(`/state/${store}${path}`, { method: 'POST', body, timeoutMs });
  }

  async deleteState(store: string, key: string): Promise<void> {
    await this.#request(`/state/${store}/${encodeURIComponent(key)}`, { method: 'DELETE', timeoutMs: 2_000 });
  }

  async #request(path: string, options: CallOptions): Promise<SidecarResponse> {
    const response = await this.#send(path, options);
    const isOk = response.status >= 200 && response.status < 300;
    if (!isOk) throw new SidecarError(path, response.status, response.text);
    return response;
  }

  async #send(path: string, options: CallOptions): Promise<SidecarResponse> {
    const body = options.body === undefined ? null : bodyOf(options.body);
    try {
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(this.#base + path, {
        method: options.method ?? 'GET',
        headers: {
          'dapr-api-token': this.#apiToken,
          ...traceHeaders(),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        body,
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      return new SidecarResponse(statusCode, headers, await answer.text());
    } catch (error) {
      throw new SidecarError(path, 0, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}

function bodyOf(body: unknown): string | Uint8Array {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return body;
  return JSON.stringify(body);
}
