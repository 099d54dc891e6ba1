import type { Sidecar } from './sidecar.js';

export interface FallbackCall {
  readonly sidecar: Pick<Sidecar, 'invoke'>;
  /** App-ids in the order in which they are asked. */
  readonly primary: string;
  readonly reserve: string;
  /** Path of the POST, without anything that differs from call to call: the breaker counts by path. */
  readonly path: string;
  readonly body: unknown;
  /** For everything together, the queue not among it, in ms. */
  readonly deadlineMs: number;
  /** The last way: hands the same work to the broker. */
  readonly queue: () => Promise<void>;
}

export type Way = 'primary' | 'reserve' | 'queue';

/** Less time than this is not worth a call. */
const CALL_MS_MIN = 20;

/**
 * Asks the primary app; when it refuses, is slow, or its breaker is open, the reserve; when that does too, the queue.
 * The receivers must know work that they have done already, since an app that was too slow may have done it.
 * @returns the way that took it
 * @throws what `queue` throws; then nobody has taken it, as far as is known
 */
export async function callWithFallback(call: FallbackCall): Promise<Way> {
  const endsAt = performance.now() + call.deadlineMs;
  for (const way of ['primary', 'reserve'] as const) {
    const leftMs = endsAt - performance.now();
    // The primary has half of the time, lest a slow one leave nothing for the reserve.
    const timeoutMs = way === 'primary' ? leftMs / 2 : leftMs;
    if (timeoutMs >= CALL_MS_MIN && (await isTaken(call, call[way], Math.floor(timeoutMs)))) return way;
  }
  await call.queue();
  return 'queue';
}

async function isTaken({ sidecar, path, body }: FallbackCall, appId: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await sidecar.invoke(appId, path, { method: 'POST', body, timeoutMs });
    const answer = response.json<{ ok?: boolean }>();
    return answer.ok === true;
  } catch {
    return false;
  }
}
