import { type Answer, quantile, sendAtFixedRate } from './fixed-rate.js';

export interface LoadOptions {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestsPerSecond: number;
  readonly requests: number;
  /** The path of the n-th request, and headers of its own. */
  readonly at: (n: number) => { readonly path: string; readonly headers?: Readonly<Record<string, string>> };
}

export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const TIMEOUT_MS = 10_000;
const SOCKETS_MAX = 64;

/**
 * Asks one port of this machine at a fixed rate, whatever the answers take: a request's time counts from the moment at
 * which it was due, so that a server that stalls is not measured by fewer requests.
 */
export async function load({ port, headers, requestsPerSecond, requests, at }: LoadOptions): Promise<LoadResult> {
  const answers: Answer[] = [];
  let n = 0;
  const startMs = performance.now();
  await sendAtFixedRate({
    port,
    callsPerSecond: requestsPerSecond,
    durationMs: (1_000 * requests) / requestsPerSecond,
    socketsMax: SOCKETS_MAX,
    timeoutMs: TIMEOUT_MS,
    next() {
      const { path, headers: own } = at(n++);
      return { path, headers: { ...headers, ...own } };
    },
    onAnswer: (answer) => answers.push(answer),
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const times = answers.filter(({ status }) => status === 200).map(({ tookMs }) => tookMs);
  return {
    requests: answers.length,
    failed: answers.length - times.length,
    requestsPerSecond: answers.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    maxMs: quantile(times, 1),
  };
}
