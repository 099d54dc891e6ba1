import { Agent, request } from 'node:http';

export interface Call {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came of a call. */
export interface Answer {
  /** Since the start of the load, in seconds. */
  readonly dueSeconds: number;
  /** 0 when there was none. */
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
  /** Since it was due, in ms. */
  readonly tookMs: number;
}

export interface FixedRate {
  readonly port: number;
  readonly callsPerSecond: number;
  readonly durationMs: number;
  /** Makes the next call, at the moment in which it is due. */
  readonly next: () => Call;
  /** Told of every answer. */
  readonly onAnswer: (answer: Answer) => void;
}

const TIMEOUT_MS = 30_000;

/**
 * Sends calls at a fixed rate, whatever the answers take, as a crowd of clients does that do not know of each other.
 * Returns when every call has its answer.
 */
export async function sendAtFixedRate({ port, callsPerSecond, durationMs, next, onAnswer }: FixedRate): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4_000 });
  const startMs = performance.now();
  const calls = Math.round((durationMs / 1_000) * callsPerSecond);
  const open = new Set<Promise<void>>();
  for (let n = 0; n < calls; n += 1) {
    const dueMs = startMs + (n * 1_000) / callsPerSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const answered = send({ agent, port, call: next() }).then(({ status, retryAfter, text }) => {
      open.delete(answered);
      const tookMs = performance.now() - dueMs;
      onAnswer({ dueSeconds: (dueMs - startMs) / 1_000, status, retryAfter, text, tookMs });
    });
    open.add(answered);
  }
  await Promise.all(open);
  agent.destroy();
}

type Raw = Pick<Answer, 'status' | 'retryAfter' | 'text'>;

/** Sends one call to a port of this machine. Never throws. */
export function send({ agent, port, call }: { agent: Agent; port: number; call: Call }): Promise<Raw> {
  const { path, body, headers } = call;
  const none: Raw = { status: 0, retryAfter: undefined, text: '' };
  return new Promise((resolve) => {
    const length = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(
      { agent, host: '127.0.0.1', port, path, method: 'POST', headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', () => resolve(none));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            retryAfter: response.headers['retry-after'],
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.setTimeout(TIMEOUT_MS, () => sent.destroy());
    sent.on('error', () => resolve(none));
    sent.end(body);
  });
}

/** The value below which this share of them lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
