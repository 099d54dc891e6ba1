import { randomBytes } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { callWithFallback, Sidecar, uuidv7, type Way } from '#lib/dapr';
import { adCounters } from './support/ingest.js';
import { adminConnection, eventually, stack } from './support/stack.js';

const PATH = 'internal/recordings';
const CALLS_OF_THE_BREAKER = 10;
/** Of dapr/resiliency: how long the sidecar waits for an advertisement service. */
const TIMEOUT_MS = 800;

let sidecar: Sidecar;
let db: Connection;
let queued: string[];

beforeAll(async () => {
  const { endpoints } = stack();
  // The breaker counts in the calling sidecar, and only this app may make the call.
  const [, second] = endpoints.apps['watch-history']!;
  sidecar = new Sidecar({ httpPort: second!.sidecarHttpPort, apiToken: endpoints.daprApiToken });
  db = await adminConnection();
});

beforeEach(() => {
  queued = [];
});

afterAll(async () => {
  for (const name of ['advertisement', 'advertisement-reserve']) await stack().setAutoRestart(name, true);
  await stack().waitHealthy();
  await db.end();
});

function someVideoId(): string {
  return String(BigInt(`0x${randomBytes(6).toString('hex')}`) + 1n);
}

interface Options {
  readonly videoId?: string;
  readonly recordingId?: string;
  readonly deadlineMs?: number;
}

/** Hands in a recording of one event, by itself of a video that nobody else has. */
function call({ videoId = someVideoId(), recordingId = uuidv7(), deadlineMs = 3_000 }: Options = {}): Promise<Way> {
  const recording = { recordingId, recordedAt: new Date().toISOString(), videos: [[videoId, 3, 1, 0, [[2, 1, 0]]]] };
  return callWithFallback({
    sidecar,
    primary: 'advertisement',
    reserve: 'advertisement-reserve',
    path: PATH,
    body: { recordings: [recording] },
    deadlineMs,
    queue: async () => void queued.push(recordingId),
  });
}

async function stopApp(name: string): Promise<void> {
  await stack().setAutoRestart(name, false);
  await stack().kill(name);
}

async function startApp(name: string): Promise<void> {
  await stack().setAutoRestart(name, true);
  await stack().waitHealthy();
}

/** What the sidecar itself says of the primary, without any fallback. */
async function askPrimary(): Promise<{ status: number; text: string; tookMs: number }> {
  const startMs = performance.now();
  const response = await sidecar.forward('advertisement', PATH, { method: 'POST', body: {}, timeoutMs: 5_000 });
  return { status: response.status, text: response.text, tookMs: performance.now() - startMs };
}

/** Closed, not half-open: more than its three trial calls at once reach the primary. */
async function untilBreakerIsClosed(): Promise<void> {
  await eventually(async () => ((await call()) === 'primary' ? true : undefined), {
    what: 'the half-open breaker to let a trial call through',
    deadlineMs: 30_000,
    intervalMs: 500,
  });
  for (let i = 0; i < 3; i++) expect(await call()).toBe('primary');
  expect(await Promise.all(Array.from({ length: 12 }, () => call()))).toEqual(Array(12).fill('primary'));
}

test('the primary answers while it is well', async () => {
  expect(await call()).toBe('primary');
});

test('a recording that both have taken is counted once', async () => {
  const [videoId, recordingId] = ['987654321012345', uuidv7()];
  for (let i = 0; i < 2; i++) expect(await call({ videoId, recordingId })).toBe('primary');
  const body = {
    recordings: [{ recordingId, recordedAt: new Date().toISOString(), videos: [[videoId, 3, 1, 0, [[2, 1, 0]]]] }],
  };
  await sidecar.invoke('advertisement-reserve', PATH, { method: 'POST', body, timeoutMs: 5_000 });
  expect((await adCounters(db, videoId, 3)).counted).toEqual([1, 1, 0]);
});

test('the reserve answers while the primary is down; the breaker opens, and closes again after it is back', async () => {
  await stopApp('advertisement');
  const ways = new Set<Way>();
  for (let i = 0; i < CALLS_OF_THE_BREAKER + 2; i++) ways.add(await call());
  expect([...ways]).toEqual(['reserve']);

  const open = await askPrimary();
  expect(open.status).toBe(500);
  expect(open.text).toContain('circuit breaker is open');
  expect(open.tookMs).toBeLessThan(500);
  expect(await call()).toBe('reserve');

  await startApp('advertisement');
  await untilBreakerIsClosed();
}, 90_000);

test('the reserve answers while the primary hangs, when the sidecar has given it up; the breaker spares that wait', async () => {
  const videoId = someVideoId();
  await stack().pause('advertisement');
  try {
    // The primary's half of this deadline is much longer than the time that the sidecar gives it.
    const hurry = async () => {
      const startMs = performance.now();
      const way = await call({ videoId, deadlineMs: 20 * TIMEOUT_MS });
      return { way, tookMs: performance.now() - startMs };
    };
    const answers = await Promise.all(Array.from({ length: CALLS_OF_THE_BREAKER }, hurry));
    expect(answers.map(({ way }) => way)).toEqual(Array(CALLS_OF_THE_BREAKER).fill('reserve'));
    for (const { tookMs } of answers) {
      expect(tookMs).toBeGreaterThan(TIMEOUT_MS * 0.9);
      expect(tookMs).toBeLessThan(TIMEOUT_MS * 5);
    }
    // Counts begin anew every ten seconds, and so may have between these calls.
    await eventually(
      async () => {
        const { text } = await askPrimary();
        if (text.includes('circuit breaker is open')) return true;
        await Promise.all(Array.from({ length: CALLS_OF_THE_BREAKER }, () => call()));
        return undefined;
      },
      { what: 'the breaker to open', deadlineMs: 30_000 },
    );
    expect(await call()).toBe('reserve');
  } finally {
    await stack().resume('advertisement');
  }
  await untilBreakerIsClosed();
  // What waited in the primary while it hung, the reserve had done.
  expect((await adCounters(db, videoId, 3)).counted).toEqual([CALLS_OF_THE_BREAKER, CALLS_OF_THE_BREAKER, 0]);
}, 120_000);

test('the queue takes it when both are down, within the deadline', async () => {
  await Promise.all([stopApp('advertisement'), stopApp('advertisement-reserve')]);
  const startMs = performance.now();
  expect(await call()).toBe('queue');
  expect(performance.now() - startMs).toBeLessThan(3_500);
  expect(queued).toHaveLength(1);
  await Promise.all([startApp('advertisement'), startApp('advertisement-reserve')]);
}, 60_000);
