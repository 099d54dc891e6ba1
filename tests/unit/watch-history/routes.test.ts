import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { POLICY_V1, type VideoId, type Viewer } from '#domain';
import { SidecarError } from '#lib/dapr';
import { OverloadedError } from '#lib/gather';
import { REQUEST_ID_HEADER } from '#lib/http';
import { createLogger } from '#lib/logging';
import { createIngestMetrics } from '#lib/telemetry';
import { createApp } from '../../../services/watch-history/app.js';
import { decideBatch, type Progress } from '../../../services/watch-history/domain/decide.js';
import { eventKey, type WatchEvent } from '../../../services/watch-history/domain/watch-event.js';
import { createTestIssuer, type TestIssuer } from '../../support/identity.js';
import { CREATOR_ID, NOON_MS } from './support.js';

const APP_TOKEN = 'the token of the sidecar';
const VIDEO = { videoId: '100', playedTime: 60, lastWatched: 50, adViewCount: 2 };
const DEVICE = '11111111-1111-4111-8111-111111111111';

let issuer: TestIssuer;
let ingest: string;
/** What the recorder has stored, by eventKey. */
let stored: Map<string, WatchEvent>;
let failure: Error | undefined;
let lookUpFailure: Error | undefined;

beforeAll(async () => {
  issuer = await createTestIssuer();
  ingest = issuer.clientToken({ clientId: 'platform', scopes: ['ingest'] });
});

beforeEach(() => {
  failure = undefined;
  lookUpFailure = undefined;
});

/** The app with a recorder that keeps everything in memory, by the rules of the real one. */
function app() {
  stored = new Map();
  const reasons = new Map();
  const progress = new Map<string, Progress>();
  return createApp({
    logger: createLogger({ service: 'watch-history', replica: 'test', level: 'error' }),
    appApiToken: APP_TOKEN,
    metrics: createIngestMetrics(),
    ready: async () => {
      if (failure !== undefined) throw failure;
    },
    verifier: issuer.verifier,
    revoke: async () => {
      if (failure !== undefined) throw failure;
    },
    videos: {
      lookUp: async (ids) => {
        if (lookUpFailure !== undefined) throw lookUpFailure;
        return ids.map((id) => (id < 200n ? { creatorId: CREATOR_ID, lengthSeconds: 900 } : undefined));
      },
    },
    recorder: {
      record: async (events) => {
        if (failure !== undefined) throw failure;
        const decisions = decideBatch({ events, progress, stored: reasons, policies: [POLICY_V1] });
        for (const { event, reason } of decisions.accepted) {
          stored.set(eventKey(event), event);
          reasons.set(eventKey(event), reason);
        }
        for (const [key, value] of decisions.progress) progress.set(key, value);
        return decisions.outcomes;
      },
    },
    now: () => NOON_MS,
    readProgress: async ({ viewer, videoId }) => (viewer.startsWith('d:') && videoId === 100n ? 77 : 0),
  });
}

const stop = (service: ReturnType<typeof app>, body: unknown, headers: Record<string, string> = {}) =>
  request(service)
    .post('/v1/video/stop')
    .set({ 'dapr-api-token': APP_TOKEN, 'x-device-uuid': DEVICE, ...headers })
    .send(body as object);

const stops = (service: ReturnType<typeof app>, body: unknown, headers: Record<string, string> = {}) =>
  request(service)
    .post('/v1/video/stops')
    .set({ 'dapr-api-token': APP_TOKEN, authorization: `Bearer ${ingest}`, ...headers })
    .send(body as object);

/** As the gateway makes it: a UUID v7. */
function requestIdAt(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7abc-8def-0123456789ab`;
}

const at = (offsetMs: number) => new Date(NOON_MS + offsetMs).toISOString();

describe('POST /v1/video/stop', () => {
  test('201 with what was decided; 200 with the same for the same event again', async () => {
    const service = app();
    const event = { ...VIDEO, eventId: randomUUID(), watchedAt: at(0) };
    const first = await stop(service, event);
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      eventId: event.eventId,
      day: '2026-11-25',
      counted: true,
      reason: 'COUNTED',
      duplicate: false,
    });
    const again = await stop(service, { ...event, eventId: event.eventId.toUpperCase() });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, duplicate: true });
    expect(stored.size).toBe(1);
  });

  test('a user is the viewer where there is a token, and a creator does not count', async () => {
    const service = app();
    const authorization = `Bearer ${await issuer.userToken({ userId: String(CREATOR_ID) })}`;
    expect((await stop(service, VIDEO, { authorization })).body).toMatchObject({ counted: false, reason: 'SELF_VIEW' });
    expect([...stored.values()].map(({ viewer }) => viewer)).toEqual([`u:${CREATOR_ID}`]);
  });

  test('an event without an id gets one of the time of receipt, the same when the sidecar repeats the call', async () => {
    const service = app();
    const headers = { [REQUEST_ID_HEADER]: requestIdAt(NOON_MS - 1_234) };
    const first = await stop(service, VIDEO, headers);
    const repeated = await stop(service, VIDEO, headers);
    expect(first.body).toMatchObject({ duplicate: false });
    expect(repeated.body).toEqual({ ...first.body, duplicate: true });
    expect([...stored.values()].map(({ watchedAtMs }) => watchedAtMs)).toEqual([NOON_MS - 1_234]);
    expect(first.body.eventId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('two events without an id are two', async () => {
    const service = app();
    await stop(service, VIDEO);
    await stop(service, VIDEO);
    expect(stored.size).toBe(2);
  });

  test.each([
    ['playedTime', { playedTime: 906 }],
    ['playedTime', { playedTime: -1 }],
    ['playedTime', { playedTime: 1.5 }],
    ['lastWatched', { lastWatched: 901 }],
    ['adViewCount', { adViewCount: 4 }],
    ['adViewCount', { adViewCount: undefined }],
    ['watchedAt', { watchedAt: at(5 * 60_000 + 1) }],
    ['watchedAt', { watchedAt: at(-35 * 86_400_000 - 1) }],
    ['watchedAt', { watchedAt: 'yesterday' }],
    ['watchedAt', { eventId: randomUUID() }],
    ['eventId', { eventId: 'x', watchedAt: at(0) }],
    ['videoId', { videoId: '0' }],
    ['videoId', { videoId: 100 }],
    ['videoId', { videoId: '9223372036854775808' }],
  ])('422 naming %s for %j, and nothing is stored', async (field, change) => {
    const service = app();
    const answer = await stop(service, { ...VIDEO, ...change });
    expect(answer.status).toBe(422);
    expect(answer.type).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'INVALID', errors: [{ field }] });
    expect(stored.size).toBe(0);
  });

  test.each([
    { playedTime: 905, lastWatched: 900, adViewCount: 3 },
    { eventId: randomUUID(), watchedAt: at(5 * 60_000) },
    { eventId: randomUUID(), watchedAt: at(-35 * 86_400_000) },
  ])('201 at the limits: %j', async (change) => {
    expect((await stop(app(), { ...VIDEO, ...change })).status).toBe(201);
  });

  test('404 for a video that is not there', async () => {
    const answer = await stop(app(), { ...VIDEO, videoId: '200' });
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: 'NOT_FOUND', errors: [{ field: 'videoId' }] });
  });

  test('401 without a viewer or with a token that is not valid, 403 for a client, 422 for a device that is no UUID', async () => {
    const service = app();
    expect((await stop(service, VIDEO, { 'x-device-uuid': '' })).status).toBe(422);
    expect((await request(service).post('/v1/video/stop').set('dapr-api-token', APP_TOKEN).send(VIDEO)).status).toBe(
      401,
    );
    expect((await stop(service, VIDEO, { authorization: 'Bearer nonsense' })).status).toBe(401);
    expect((await stop(service, VIDEO, { authorization: `Bearer ${ingest}` })).status).toBe(403);
  });

  test('400 for what is not JSON, 413 for what is too large', async () => {
    const service = app();
    const sent = (body: string) =>
      request(service)
        .post('/v1/video/stop')
        .set({ 'dapr-api-token': APP_TOKEN, 'x-device-uuid': DEVICE, 'content-type': 'application/json' })
        .send(body);
    expect((await sent('{"videoId":')).status).toBe(400);
    expect((await sent(JSON.stringify({ ...VIDEO, more: 'x'.repeat(70_000) }))).status).toBe(413);
  });

  test.each([
    ['too much waits', new OverloadedError('full')],
    ['the primary is away', Object.assign(new Error('gone'), { code: 'ECONNREFUSED' })],
  ])('503 with Retry-After when %s', async (_why, error) => {
    const service = app();
    failure = error;
    const answer = await stop(service, VIDEO);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body.code).toBe('UNAVAILABLE');
  });

  test('503 when videos cannot be looked up, 500 without a word of it for a defect', async () => {
    const service = app();
    lookUpFailure = new SidecarError('video', 0, 'no answer');
    expect((await stop(service, VIDEO)).status).toBe(503);
    lookUpFailure = undefined;
    failure = new Error('a secret of the inside');
    const answer = await stop(service, VIDEO);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret');
  });

  test('anyone but the sidecar is refused', async () => {
    expect((await stop(app(), VIDEO, { 'dapr-api-token': 'a guess' })).status).toBe(401);
  });
});

describe('POST /v1/video/stops', () => {
  const event = (change: object = {}) => ({
    ...VIDEO,
    eventId: randomUUID(),
    watchedAt: at(0),
    viewer: `d:${randomUUID()}`,
    ...change,
  });

  test('each event is answered by itself, in its place; a bad one fails no other', async () => {
    const service = app();
    const known = event();
    await stops(service, { events: [known] });
    const fine = event();
    const bad = event({ playedTime: 100_000 });
    const events = [fine, bad, 7, known, event({ videoId: '200' }), event({ viewer: 'u:0' }), fine];
    const { status, body } = await stops(service, { events });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 1, duplicates: 2, rejected: 4 });
    expect(body.results).toMatchObject([
      { eventId: fine.eventId, status: 'accepted', reason: 'COUNTED' },
      { eventId: bad.eventId, status: 'rejected', errors: [{ field: 'playedTime' }] },
      { eventId: null, status: 'rejected' },
      { eventId: known.eventId, status: 'duplicate', reason: 'COUNTED' },
      { status: 'rejected', errors: [{ field: 'videoId' }] },
      { status: 'rejected', errors: [{ field: 'viewer' }] },
      { eventId: fine.eventId, status: 'duplicate' },
    ]);
    expect(stored.size).toBe(2);
  });

  test('NDJSON is one event a line, and a line that is no JSON is its own matter', async () => {
    const lines = [JSON.stringify(event()), '{"videoId":', '', JSON.stringify(event())].join('\n');
    const { status, body } = await stops(app(), lines, { 'content-type': 'application/x-ndjson' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 2, duplicates: 0, rejected: 1 });
    expect(body.results[1]).toMatchObject({ eventId: null, status: 'rejected' });
  });

  test('events without an id are the same events when the sidecar repeats the call', async () => {
    const service = app();
    const headers = { [REQUEST_ID_HEADER]: requestIdAt(NOON_MS) };
    const body = { events: [event(), event()].map(({ eventId: _, watchedAt: __, ...rest }) => rest) };
    expect((await stops(service, body, headers)).body).toMatchObject({ accepted: 2, duplicates: 0 });
    expect((await stops(service, body, headers)).body).toMatchObject({ accepted: 0, duplicates: 2 });
  });

  test('1,000 events are taken, 1,001 are not', async () => {
    const events = Array.from({ length: 1_000 }, () => event());
    expect((await stops(app(), { events })).body).toMatchObject({ accepted: 1_000 });
    const answer = await stops(app(), { events: [...events, event()] });
    expect(answer.status).toBe(413);
    expect(stored.size).toBe(0);
  });

  test('no events are no error; no list is', async () => {
    expect((await stops(app(), { events: [] })).body).toEqual({
      accepted: 0,
      duplicates: 0,
      rejected: 0,
      results: [],
    });
    expect((await stops(app(), { event: 1 })).status).toBe(422);
    expect((await stops(app(), '[1', { 'content-type': 'application/json' })).status).toBe(400);
  });

  test('the scope ingest is needed: 401 without a token, 403 with another', async () => {
    const service = app();
    const other = issuer.clientToken({ clientId: 'other', scopes: [] });
    const user = await issuer.userToken({ userId: '9' });
    const body = { events: [event()] };
    expect((await request(service).post('/v1/video/stops').set('dapr-api-token', APP_TOKEN).send(body)).status).toBe(
      401,
    );
    expect((await stops(service, body, { authorization: `Bearer ${other}` })).status).toBe(403);
    expect((await stops(service, body, { authorization: `Bearer ${user}` })).status).toBe(403);
  });

  test('503 for the whole call when it is not known what became of its events', async () => {
    const service = app();
    failure = Object.assign(new Error('gone'), { code: 'PROTOCOL_CONNECTION_LOST' });
    expect((await stops(service, { events: [event()] })).status).toBe(503);
  });
});

test('GET /internal/progress tells where a viewer left off', async () => {
  const ask = (query: object) =>
    request(app())
      .get('/internal/progress')
      .set('dapr-api-token', APP_TOKEN)
      .query(query as never);
  const known = { viewer: `d:${DEVICE}` as Viewer, videoId: String(100n as VideoId) };
  expect((await ask(known)).body).toEqual({ ok: true, lastWatched: 77 });
  expect((await ask({ ...known, videoId: '101' })).body).toEqual({ ok: true, lastWatched: 0 });
  expect((await ask({ ...known, viewer: 'nobody' })).status).toBe(422);
});

test('/readyz is 503 while the primary does not answer, /healthz is not', async () => {
  const service = app();
  failure = new Error('no primary');
  expect((await request(service).get('/readyz')).status).toBe(503);
  expect((await request(service).get('/healthz')).status).toBe(200);
});
