import { ROUTES, watch } from '#lib/contract';
import { Admission, Admissions } from '../../../services/gateway/adapters/http/admission.js';

let nowMs: number;

beforeEach(() => {
  nowMs = 0;
});

const admission = (atOnceStart = 100) =>
  new Admission({ slowMs: 1_000, atOnceMin: 4, atOnceStart, atOnceMax: 100, now: () => nowMs });

interface Asked {
  finish(): void;
  readonly done: Promise<string>;
}

/** Asks so many times at once; each is answered when told so. */
function askMany(target: Admission, count: number): Asked[] {
  return Array.from({ length: count }, () => {
    let finish: () => void = () => undefined;
    const answer = new Promise<string>((resolve) => {
      finish = () => resolve('answer');
    });
    const done = target.work(() => answer).catch((error: { code?: string }) => error.code ?? 'unknown');
    return { finish, done };
  });
}

async function finishAll(asked: readonly Asked[]): Promise<string[]> {
  for (const { finish } of asked) finish();
  return Promise.all(asked.map(({ done }) => done));
}

const refusals = (answers: readonly string[]) => answers.filter((answer) => answer === 'UNAVAILABLE').length;

/** Rounds of 100 requests at once, each answered after so long. @returns how many were refused in the last */
async function rounds(target: Admission, { count, tookMs }: { count: number; tookMs: number }): Promise<number> {
  let refused = 0;
  for (let round = 0; round < count; round += 1) {
    const asked = askMany(target, 100);
    nowMs += tookMs;
    refused = refusals(await finishAll(asked));
  }
  return refused;
}

test('while answers are quick, everything up to the limit is let in, and what comes on top is refused', async () => {
  const target = admission();
  expect(await rounds(target, { count: 5, tookMs: 100 })).toBe(0);
  expect(refusals(await finishAll(askMany(target, 130)))).toBe(30);
});

test('before it is known how quick answers are, fewer are let in; more while they are quick, not when they take longer', async () => {
  const target = admission(20);
  expect(await rounds(target, { count: 1, tookMs: 100 })).toBe(80);
  const after = await rounds(target, { count: 10, tookMs: 100 });
  expect(after).toBeLessThanOrEqual(60);
  expect(await rounds(target, { count: 10, tookMs: 700 })).toBeGreaterThanOrEqual(after - 4);
});

test('when answers are slow, less and less is let in, but never nothing', async () => {
  const target = admission();
  await rounds(target, { count: 2, tookMs: 2_000 });
  const refused = await rounds(target, { count: 1, tookMs: 2_000 });
  expect(refused).toBeGreaterThan(40);
  expect(await rounds(target, { count: 30, tookMs: 2_000 })).toBe(96);
});

test('when answers are quick again, everything is let in again', async () => {
  const target = admission();
  await rounds(target, { count: 30, tookMs: 2_000 });
  expect(await rounds(target, { count: 100, tookMs: 100 })).toBe(0);
});

test('many slow answers of one moment lower it once', async () => {
  const target = admission();
  await rounds(target, { count: 1, tookMs: 1_500 });
  expect(await rounds(target, { count: 1, tookMs: 100 })).toBe(30);
});

test('each path has its own limit, which is known before anything else is done for a request', async () => {
  const admissions = new Admissions(ROUTES, { GATEWAY_SLOW_MS: 1_000, GATEWAY_BULK_SLOW_MS: 1_000 });
  const asked = askMany(admissions.of(watch.stopVideo)!, 256);
  expect(admissions.isFull({ method: 'POST', url: '/v1/video/stop?a=1' })).toBe(true);
  expect(admissions.isFull({ method: 'POST', url: '/v1/video/play' })).toBe(false);
  await finishAll(asked);
  expect(admissions.isFull({ method: 'POST', url: '/v1/video/stop' })).toBe(false);
});
