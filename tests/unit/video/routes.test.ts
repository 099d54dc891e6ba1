import request from 'supertest';
import type { Queryable } from '#lib/database';
import { REQUEST_ID_HEADER } from '#lib/http';
import { createLogger } from '#lib/logging';
import { createApp } from '../../../services/video/app.js';
import { VideoShelf } from '../../../services/video/usecases/video-shelf.js';
import { createTestIssuer, type TestIssuer } from '../../support/identity.js';

const APP_TOKEN = 'the token of the sidecar';
const DEVICE = '11111111-1111-4111-8111-111111111111';
const NOW_MS = Date.parse('2026-11-25T03:00:00Z');
const REQUEST_ID = `${NOW_MS.toString(16)
  .padStart(12, '0')
  .replace(/^(.{8})/, '$1-')}-7abc-8def-0123456789ab`;

interface Row {
  readonly video_id: string;
  readonly creator_id: string;
  readonly title: string;
  readonly length_seconds: number;
}

/** The table of videos, as far as the repository's statements need it. */
class VideoTable implements Queryable {
  readonly rows = new Map<string, Row>();
  failure: Error | undefined;

  async query(sql: string, parameters: unknown[] = []) {
    if (this.failure !== undefined) throw this.failure;
    if (sql.startsWith('INSERT')) {
      const [video_id, creator_id, title, length_seconds] = parameters as [string, string, string, number];
      if (this.rows.has(video_id)) throw Object.assign(new Error('there'), { code: 'ER_DUP_ENTRY' });
      this.rows.set(video_id, { video_id, creator_id, title, length_seconds });
      return [];
    }
    if (sql.includes('IN (')) return parameters.flatMap((id) => this.rows.get(id as string) ?? []);
    const [creatorId, before] = parameters as [string, string | undefined];
    const limit = Number(/LIMIT (\d+)/.exec(sql)![1]);
    return [...this.rows.values()]
      .filter((row) => row.creator_id === creatorId && (before === undefined || BigInt(row.video_id) < BigInt(before)))
      .sort((a, b) => (BigInt(a.video_id) > BigInt(b.video_id) ? -1 : 1))
      .slice(0, limit);
  }
}

let issuer: TestIssuer;
let token: string;
let table: VideoTable;
let progress: () => Promise<number>;

beforeAll(async () => {
  issuer = await createTestIssuer();
  token = await issuer.userToken({ userId: '42' });
});

function app() {
  table = new VideoTable();
  progress = async () => 0;
  const plays = new Map<bigint, number>();
  return createApp({
    logger: createLogger({ service: 'video', replica: 'test', level: 'fatal' }),
    appApiToken: APP_TOKEN,
    ready: async () => undefined,
    verifier: issuer.verifier,
    primary: table,
    shelf: new VideoShelf(table, 100),
    counters: {
      count: (videoId, { plays: more }) => void plays.set(BigInt(videoId), (plays.get(BigInt(videoId)) ?? 0) + more),
      read: async (videoId) => ({ plays: plays.get(videoId) ?? 0, views: 5 }),
    },
    readProgress: () => progress(),
    now: () => NOW_MS,
    subscriptions: [],
  });
}

type App = ReturnType<typeof app>;

const asUser = (headers: Record<string, string> = {}) => ({
  'dapr-api-token': APP_TOKEN,
  authorization: `Bearer ${token}`,
  ...headers,
});
const register = (service: App, body: object, headers = asUser()) =>
  request(service).post('/v1/video').set(headers).send(body);
const play = (service: App, body: object, headers: Record<string, string> = { 'x-device-uuid': DEVICE }) =>
  request(service)
    .post('/v1/video/play')
    .set({ 'dapr-api-token': APP_TOKEN, ...headers })
    .send(body);

describe('POST /v1/video', () => {
  test.each(['제목 하나', '日本語のタイトル', 'Ünïcödé', '🎬👩‍👩‍👧‍👦 fin', 'x'.repeat(200)])(
    '201 for the title %s',
    async (title) => {
      const { status, body } = await register(app(), { title: `  ${title} `, lengthSeconds: 900 });
      expect(status).toBe(201);
      expect(body).toEqual({
        videoId: expect.stringMatching(/^[1-9]\d{0,18}$/),
        creatorId: '42',
        title,
        lengthSeconds: 900,
        ads: 3,
      });
    },
  );

  test.each([
    ['title', { title: '   ', lengthSeconds: 1 }],
    ['title', { title: 'x'.repeat(201), lengthSeconds: 1 }],
    ['title', { title: 'a\u0000b', lengthSeconds: 1 }],
    ['title', { title: 'half \ud83c', lengthSeconds: 1 }],
    ['title', { title: 7, lengthSeconds: 1 }],
    ['lengthSeconds', { title: 'x', lengthSeconds: 0 }],
    ['lengthSeconds', { title: 'x', lengthSeconds: 1.5 }],
    ['lengthSeconds', { title: 'x', lengthSeconds: 86_401 }],
    ['lengthSeconds', { title: 'x' }],
  ])('422 naming %s for %j', async (field, body) => {
    const answer = await register(app(), body);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'INVALID', errors: [{ field }] });
    expect(table.rows.size).toBe(0);
  });

  test('a call that the sidecar repeats registers one video', async () => {
    const service = app();
    const headers = asUser({ [REQUEST_ID_HEADER]: REQUEST_ID });
    const first = await register(service, { title: 'once', lengthSeconds: 60 }, headers);
    const repeated = await register(service, { title: 'once', lengthSeconds: 60 }, headers);
    expect(repeated.status).toBe(201);
    expect(repeated.body).toEqual(first.body);
    expect(table.rows.size).toBe(1);
    const other = await register(service, { title: 'another', lengthSeconds: 60 }, headers);
    expect(other.body.videoId).not.toBe(first.body.videoId);
    expect(table.rows.size).toBe(2);
  });

  test('401 without a user, 400 for what is not JSON, 413 for what is too large', async () => {
    const service = app();
    expect((await register(service, {}, { 'dapr-api-token': APP_TOKEN } as never)).status).toBe(401);
    const raw = (body: string) =>
      request(service)
        .post('/v1/video')
        .set(asUser({ 'content-type': 'application/json' }))
        .send(body);
    expect((await raw('{')).status).toBe(400);
    expect((await raw(JSON.stringify({ title: 'x'.repeat(70_000) }))).status).toBe(413);
  });

  test('503 with Retry-After while the primary is away', async () => {
    const service = app();
    table.failure = Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
    const answer = await register(service, { title: 'x', lengthSeconds: 1 });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
  });
});

describe('GET /v1/video', () => {
  const list = (service: App, query: object, headers = asUser()) =>
    request(service)
      .get('/v1/video')
      .set(headers)
      .query(query as never);

  test('pages through the own videos, the newest first, each once', async () => {
    const service = app();
    const ids: string[] = [];
    for (let i = 0; i < 120; i++) ids.push((await register(service, { title: `${i}`, lengthSeconds: 1 })).body.videoId);
    table.rows.set('5', { video_id: '5', creator_id: '43', title: 'of another', length_seconds: 1 });
    const seen: string[] = [];
    let cursor: string | null | undefined;
    for (let page = 0; cursor !== null && page < 5; page++) {
      const { status, body } = await list(service, { creator: 'me', ...(cursor ? { cursor } : {}) });
      expect(status).toBe(200);
      seen.push(...body.items.map(({ videoId }: { videoId: string }) => videoId));
      cursor = body.nextCursor;
    }
    expect(seen).toHaveLength(120);
    expect(seen.map(BigInt)).toEqual(ids.map(BigInt).sort((a, b) => (a > b ? -1 : 1)));
  });

  test('shows a video at once after its registration', async () => {
    const service = app();
    const { body } = await register(service, { title: 'new', lengthSeconds: 600 });
    expect((await list(service, { creator: 'me' })).body).toEqual({ items: [body], nextCursor: null });
  });

  test('422 for another creator and for a cursor that is none, 401 without a user', async () => {
    const service = app();
    expect((await list(service, { creator: '7' })).status).toBe(422);
    expect((await list(service, {})).status).toBe(422);
    expect((await list(service, { creator: 'me', cursor: 'x' })).status).toBe(422);
    expect((await list(service, { creator: 'me' }, { 'dapr-api-token': APP_TOKEN } as never)).status).toBe(401);
  });
});

describe('a video', () => {
  const get = (service: App, videoId: string) =>
    request(service).get(`/v1/video/${videoId}`).set('dapr-api-token', APP_TOKEN);

  test('is shown to anyone with its live counters', async () => {
    const service = app();
    const { body } = await register(service, { title: 'seen', lengthSeconds: 600 });
    expect((await get(service, body.videoId)).body).toEqual({ ...body, plays: 0, views: 5 });
  });

  test('404 when it is not there, 422 for what is no id', async () => {
    expect((await get(app(), '77')).status).toBe(404);
    expect((await get(app(), 'x')).status).toBe(422);
  });

  test('is played from where the viewer left off, and the start is counted', async () => {
    const service = app();
    const { videoId } = (await register(service, { title: 'seen', lengthSeconds: 600 })).body;
    progress = async () => 123;
    expect((await play(service, { videoId })).body).toEqual({ videoId, lastWatched: 123, plays: 1 });
    expect((await play(service, { videoId }, asUser())).body).toEqual({ videoId, lastWatched: 123, plays: 2 });
  });

  test('is played from the start when nobody knows in time', async () => {
    const service = app();
    const { videoId } = (await register(service, { title: 'seen', lengthSeconds: 600 })).body;
    progress = async () => {
      throw new Error('too late');
    };
    const answer = await play(service, { videoId });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ videoId, lastWatched: 0, plays: 1 });
  });

  test('play: 404 for none, 422 for what is no id, 401 without a viewer', async () => {
    const service = app();
    expect((await play(service, { videoId: '77' })).status).toBe(404);
    expect((await play(service, { videoId: 'x' })).status).toBe(422);
    expect((await play(service, {})).status).toBe(422);
    expect((await play(service, { videoId: '77' }, {})).status).toBe(401);
  });
});

test('POST /internal/videos gives the facts of those that exist', async () => {
  const service = app();
  const { videoId } = (await register(service, { title: 'facts', lengthSeconds: 600 })).body;
  const ask = (body: object) => request(service).post('/internal/videos').set('dapr-api-token', APP_TOKEN).send(body);
  expect((await ask({ videoIds: [videoId, '77', videoId] })).body).toEqual({
    ok: true,
    videos: [{ videoId, creatorId: '42', lengthSeconds: 600 }],
  });
  expect((await ask({ videoIds: ['x'] })).status).toBe(422);
});
