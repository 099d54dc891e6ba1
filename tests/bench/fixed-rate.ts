import { Agent, request } from 'node:http';
import { setPriority } from 'node:os';

export interface Call {
  readonly path: string;
  /** JSON of a POST; a call without one is a GET. */
  readonly body?: string | Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came of a call. */
export interface Answer {
  /** Since the start of the load, in seconds. */
  readonly dueSeconds: number;
  /** 0 when there was none. */
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** How often it was refused for now before. */
  readonly refusals: number;
  readonly text: string;
  /** Since it was due (or sent, when that was earlier), in ms. */
  readonly tookMs: number;
  /** How long after it was due it was sent, in ms: the sender's own delay. */
  readonly sentLateMs: number;
}

export interface FixedRate {
  readonly port: number;
  readonly callsPerSecond: number;
  readonly durationMs: number;
  /** Makes the next call, at the moment in which it is due. */
  readonly next: () => Call;
  /** Told of every answer. */
  readonly onAnswer: (answer: Answer) => void;
  /** Whether what is refused for now is sent again after Retry-After, as a good client does; only the last answer is told. */
  readonly isPatient?: boolean;
  /** Connections at once, 4,000 unless told. */
  readonly socketsMax?: number;
  /** How long an answer may take, half a minute unless told. */
  readonly timeoutMs?: number;
}

const SOCKETS_MAX = 4_000;
const TIMEOUT_MS = 30_000;

/**
 * Sends calls at a fixed rate, whatever the answers take, as a crowd of clients does that do not know of each other.
 * Returns when every call has its answer.
 */
export async function sendAtFixedRate(options: FixedRate): Promise<void> {
  const { port, callsPerSecond, durationMs, next, onAnswer, isPatient = false, timeoutMs } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: options.socketsMax ?? SOCKETS_MAX });
  const startMs = performance.now();
  const calls = Math.round((durationMs / 1_000) * callsPerSecond);
  const open = new Set<Promise<void>>();
  for (let n = 0; n < calls; n += 1) {
    const dueMs = startMs + (n * 1_000) / callsPerSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const sending = { agent, port, call: next(), timeoutMs };
    const sentMs = performance.now();
    const answered = (isPatient ? sendPatiently(sending) : sendOnce(sending)).then((answer) => {
      open.delete(answered);
      // Timers have a millisecond: what goes out a little early counts from then.
      const tookMs = performance.now() - Math.min(dueMs, sentMs);
      onAnswer({ ...answer, dueSeconds: (dueMs - startMs) / 1_000, tookMs, sentLateMs: sentMs - dueMs });
    });
    open.add(answered);
  }
  await Promise.all(open);
  agent.destroy();
}

const PATIENCE = 60;

async function sendPatiently(sending: Sending): Promise<Raw & Pick<Answer, 'refusals'>> {
  for (let refusals = 0; ; refusals += 1) {
    const answer = await send(sending);
    if ((answer.status !== 503 && answer.status !== 429) || refusals === PATIENCE) return { ...answer, refusals };
    await new Promise((resolve) => setTimeout(resolve, Number(answer.retryAfter ?? 1) * 1_000));
  }
}

async function sendOnce(sending: Sending): Promise<Raw & Pick<Answer, 'refusals'>> {
  return { ...(await send(sending)), refusals: 0 };
}

interface Sending {
  readonly agent: Agent;
  readonly port: number;
  readonly call: Call;
  readonly timeoutMs?: number | undefined;
}

type Raw = Pick<Answer, 'status' | 'retryAfter' | 'text'>;

/** Sends one call to a port of this machine. Never throws. */
export function send({ agent, port, call, timeoutMs = TIMEOUT_MS }: Sending): Promise<Raw> {
  const { path, body, headers } = call;
  const none: Raw = { status: 0, retryAfter: undefined, text: '' };
  const ofBody =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve) => {
    const sent = request(
      { agent, host: '127.0.0.1', port, path, method, headers: { ...headers, ...ofBody } },
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
    sent.setTimeout(timeoutMs, () => sent.destroy());
    sent.on('error', () => resolve(none));
    sent.end(body);
  });
}

/**
 * Clients are elsewhere: on one machine with everything else, they would be slowed down by what they load, and so load it
 * less. Takes effect only with the right to it (root).
 */
export function goFirst(): void {
  try {
    setPriority(-15);
  } catch {
    console.log('The load has the same priority as what is loaded, and may be slowed down by it.');
  }
}

/** The value below which this share of them lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
