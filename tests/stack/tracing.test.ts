import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { forgetEverything, runDay } from './support/batch.js';
import { callGateway, type SignedIn, signUp } from './support/gateway.js';
import { registerVideo, stopOf } from './support/ingest.js';
import { eventually, generate } from './support/stack.js';
import { TEST_TRACES_PORT } from './support/test-stack.js';

interface Received {
  readonly service: string;
  readonly traceId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type Attributes = readonly { key: string; value: { stringValue?: string; intValue?: string | number } }[];

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

interface SentSpan {
  readonly traceId: string;
  readonly name: string;
  readonly attributes?: Attributes;
}

let receiver: Server;
const received: Received[] = [];

beforeAll(async () => {
  receiver = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    received.push(...spansOf(JSON.parse(Buffer.concat(chunks).toString()) as Export));
    res.end('{}');
  });
  await new Promise<void>((resolve) => receiver.listen(TEST_TRACES_PORT, '127.0.0.1', resolve));
});
afterAll(() => {
  receiver.closeAllConnections();
  return new Promise((resolve) => receiver.close(resolve));
});

function spansOf({ resourceSpans }: Export): Received[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = textsOf(resource.attributes)['service.name'] ?? '';
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, name, attributes = [] }) => ({ service, traceId, name, attributes: textsOf(attributes) })),
    );
  });
}

function textsOf(attributes: Attributes): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(value.stringValue ?? value.intValue)]));
}

const namesIn = (traceId: string) =>
  new Set(received.filter((span) => span.traceId === traceId).map(({ service, name }) => `${service}: ${name}`));

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
  const expected = [
    'gateway: POST /v1/video/stop',
    'watch-history: POST /v1/video/stop',
    'watch-history: commit of events',
    'advertisement: POST /internal/recordings',
    'video: event watch.recorded',
  ];
  const found = await eventually(
    async () => {
      const names = namesIn(traceId);
      return expected.every((name) => names.has(name)) ? names : undefined;
    },
    { what: `the spans of trace ${traceId}`, deadlineMs: 30_000 },
  );
  expect([...found]).toEqual(expect.arrayContaining(expected));
});

test("the trace of a run has the run's id and holds every slice, whichever replica computed it", async () => {
  await forgetEverything();
  await generate({ day: '2026-11-01', events: 5_000, videos: 200, seed: 7 });
  const { runId, partitions } = await runDay('2026-11-01');
  expect(partitions.total).toBeGreaterThan(64);
  const traceId = runId.replaceAll('-', '');
  const slices = () => received.filter((span) => span.traceId === traceId && span.name.startsWith('slice of'));
  await eventually(async () => (slices().length >= partitions.total ? true : undefined), {
    what: `the spans of all ${partitions.total} slices`,
    deadlineMs: 30_000,
  });
  expect(new Set(slices().map(({ name }) => name))).toEqual(new Set(['slice of statistics', 'slice of settlement']));
  // By the outbox and the broker to those who read.
  const told = ['statistics.completed', 'settlement.completed'].map((topic) => `video-info: event ${topic}`);
  await eventually(async () => told.every((name) => namesIn(traceId).has(name)) || undefined, {
    what: `${told.join(' and ')} in trace ${traceId}`,
    deadlineMs: 30_000,
  });
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
    const span = () => received.find((one) => one.traceId === traceId && one.name === name && fits(one, wanted));
    await eventually(async () => span(), { what: `the ${name} in trace ${traceId}`, deadlineMs: 30_000 });
  }
});

function fits({ attributes }: Received, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => attributes[key] === value);
}
