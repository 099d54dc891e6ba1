import { setTimeout as pause } from 'node:timers/promises';
import { Sidecar, SidecarError } from '#lib/dapr';
import { CommandError } from '../errors.js';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** Shown as a bearer token. */
  readonly token?: string;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the call and the status
  readonly body: any;
}

/** A replica that was killed is back, or its work taken over, well within this. */
const GIVE_UP_AFTER_MS = 30_000;
const RETRY_INTERVAL_MS = 300;

export interface ServiceCallerOptions {
  readonly appId: string;
  /** HTTP ports of the sidecars of the service's own replicas. */
  readonly sidecarPorts: readonly number[];
  readonly daprApiToken: string;
}

/** Calls a service by any of its replicas' sidecars: while one is gone, another is asked. */
export class ServiceCaller {
  readonly #appId: string;
  readonly #sidecars: readonly Sidecar[];
  #preferred = 0;

  constructor({ appId, sidecarPorts, daprApiToken }: ServiceCallerOptions) {
    this.#appId = appId;
    this.#sidecars = sidecarPorts.map((httpPort) => new Sidecar({ httpPort, apiToken: daprApiToken }));
  }

  /**
   * Asks the sidecars in turn until one gives an answer of the service.
   * @throws CommandError <APP-ID>_UNAVAILABLE when none has for half a minute
   */
  async call(call: Call): Promise<Answer> {
    if (this.#sidecars.length === 0) throw this.#unavailable(`no sidecar of ${this.#appId} is known`);
    const giveUpAtMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      let reason = '';
      for (let turn = 0; turn < this.#sidecars.length; turn += 1) {
        const answer = await this.#ask(call);
        if (typeof answer !== 'string') return answer;
        reason = answer;
        this.#preferred = (this.#preferred + 1) % this.#sidecars.length;
      }
      if (performance.now() > giveUpAtMs) throw this.#unavailable(reason);
      await pause(RETRY_INTERVAL_MS);
    }
  }

  /** @returns the answer, or why there is none of the service */
  async #ask({ method, path, body, token, timeoutMs }: Call): Promise<Answer | string> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    try {
      const response = await this.#sidecars[this.#preferred]!.forward(this.#appId, path, {
        method,
        body,
        headers,
        timeoutMs,
      });
      const { text } = response;
      const isOfService = response.status < 500 || response.header('content-type')?.includes('problem+json');
      if (!isOfService || response.status === 503) {
        return `${this.#appId} answered ${response.status}: ${text.slice(0, 200)}`;
      }
      return { status: response.status, body: parse(text) };
    } catch (error) {
      if (error instanceof SidecarError) return error.message;
      throw error;
    }
  }

  #unavailable(reason: string): CommandError {
    return new CommandError(`${this.#appId.toUpperCase().replaceAll('-', '_')}_UNAVAILABLE`, reason);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A refusal of a service as the command's failure, with its code. */
export function refusalOf({ status, body }: Answer): CommandError {
  const code = typeof body?.code === 'string' ? body.code : (body?.errorCode ?? `STATUS_${status}`);
  return new CommandError(code, body?.detail ?? body?.message ?? `the service answered with status ${status}`);
}
