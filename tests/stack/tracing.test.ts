import { randomBytes, randomUUID } from 'node:crypto';
import { forgetEverything, runDay } from './support/batch.js';
import { callGateway, type SignedIn, signUp } from './support/gateway.js';
import { registerVideo, stopOf } from './support/ingest.js';
import { EVENT_DELIVERY_MS, eventually, generate } from './support/stack.js';
import { TEST_TRACES_PORT } from './support/test-stack.js';
import type { ReceivedSpan } from './support/trace-receiver.js';

async function spansIn(traceId: string): Promise<ReceivedSpan[]> {
  return (await (await fetch(`http://127.0.0.1:${TEST_TRACES_PORT}/${traceId}`)).json()) as ReceivedSpan[];
}

/** Waits until a trace has these spans, given as `service: name`. */
async function spansAreIn(traceId: string, expected: readonly string[]): Promise<void> {
  await eventually(
    async () => {
      const there = (await spansIn(traceId)).map(({ service, name }) => `${service}: ${name}`);
      const missing = expected.filter((one) => !there.includes(one));
      if (missing.length > 0)
        throw new Error(`${missing.join(', ')} missing, there are ${[...new Set(there)].join(', ')}`);
      return true;
    },
    { what: `the spans of trace ${traceId}`, deadlineMs: EVENT_DELIVERY_MS },
  );
}

test("a player's stop is one trace, from the public port to the ad counters", async () => {
  const creator: SignedIn = await signUp();
  const videoId = await registerVideo(creator.accessToken, 900);
  const traceId = randomBytes(16).toString('hex');
  const answer = await callGateway('/v1/video/stop', {
    method: 'POST',
    headers: { 'x-device-uuid': randomUUID(), traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    body: { videoId, playedTime: 300, lastWatched: 300, adViewCount: 1 },
  });
  expect(answer.status).toBe(201);
  await spansAreIn(traceId, [
    'gateway: POST /v1/video/stop',
    'watch-history: POST /v1/video/stop',
    'watch-history: commit of events',
    'advertisement: POST /internal/recordings',
    'video: event watch.recorded',
  ]);
});

test("the trace of a run has the run's id and holds every slice, whichever replica computed it", async () => {
  await forgetEverything();
  await generate({ day: '2026-11-01', events: 5_000, videos: 200, seed: 7 });
  const { runId, partitions } = await runDay('2026-11-01');
  expect(partitions.total).toBeGreaterThan(64);
  const traceId = runId.replaceAll('-', '');
  const slices = await eventually(
    async () => {
      const names = (await spansIn(traceId)).map(({ name }) => name).filter((name) => name.startsWith('slice of'));
      return names.length >= partitions.total ? names : undefined;
    },
    { what: `the spans of all ${partitions.total} slices`, deadlineMs: 30_000 },
  );
  expect(new Set(slices)).toEqual(new Set(['slice of statistics', 'slice of settlement']));
  // By the outbox and the broker to those who read.
  await spansAreIn(traceId, ['video-info: event statistics.completed', 'video-info: event settlement.completed']);
});

test('from the call of a player one comes to the trace that posted its won, by what the answers say', async () => {
  await forgetEverything();
  const creator = await signUp();
  const videoId = await registerVideo(creator.accessToken, 900);
  const watchedAt = new Date(Date.now() - 86_400_000).toISOString();
  const stop = await callGateway('/v1/video/stop', { device: randomUUID(), body: stopOf(videoId, { watchedAt }) });
  expect(stop.status).toBe(201);
  const { day } = stop.body;
  await runDay(day);
  const { postings } = await eventually(
    async () => {
      const path = `/v1/info/bill/explain?date=${day}&videoId=${videoId}`;
      const { body } = await callGateway(path, { token: creator.accessToken });
      return body.postings.length > 0 ? body : undefined;
    },
    { what: 'the posting of the event', deadlineMs: 30_000 },
  );
  expect(postings).toEqual([expect.objectContaining({ kind: 'view', from: 0, to: 1, amount: 1 })]);
  const [{ traceId }] = postings;
  const slices = { 'slice of statistics': BigInt(videoId) % 64n, 'slice of settlement': BigInt(creator.userId) % 64n };
  for (const [name, slice] of Object.entries(slices)) {
    const wanted = { 'playbill.day': day, 'playbill.slice': String(slice) };
    const span = async () => (await spansIn(traceId)).find((one) => one.name === name && fits(one, wanted));
    await eventually(span, { what: `the ${name} in trace ${traceId}`, deadlineMs: 30_000 });
  }
});

function fits({ attributes }: ReceivedSpan, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => attributes[key] === value);
}
