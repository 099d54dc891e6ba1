import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

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

/**
 * Sends requests to one port of this machine at a fixed rate, whatever the answers take: a request's time counts from
 * the moment at which it was due, so that a server that stalls is not measured by fewer requests.
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const intervalMs = 1_000 / options.requestsPerSecond;
  const startMs = performance.now();
  const calls: Promise<number | undefined>[] = [];
  for (let n = 0; n < options.requests; n += 1) {
    const dueMs = startMs + n * intervalMs;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    calls.push(send(agent, options, n).then((isOk) => (isOk ? performance.now() - dueMs : undefined)));
  }
  const times = await Promise.all(calls);
  const seconds = (performance.now() - startMs) / 1_000;
  agent.destroy();
  const ok = times.filter((time): time is number => time !== undefined).sort((a, b) => a - b);
  const at = (share: number) => ok[Math.min(ok.length - 1, Math.floor(ok.length * share))] ?? Number.NaN;
  return {
    requests: times.length,
    failed: times.length - ok.length,
    requestsPerSecond: times.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

function send(agent: Agent, { port, headers, at }: LoadOptions, n: number): Promise<boolean> {
  const { path, headers: own } = at(n);
  return new Promise((resolve) => {
    const sending = request({ host: '127.0.0.1', port, path, agent, headers: { ...headers, ...own } }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
    });
    sending.setTimeout(TIMEOUT_MS, () => sending.destroy());
    sending.once('error', () => resolve(false));
    sending.end();
  });
}
