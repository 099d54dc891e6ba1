import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import request from 'supertest';
import { z } from 'zod';
import { defineRoute, type Route } from '#lib/contract';
import { createLogger } from '#lib/logging';
import { Forwarder } from '../../../services/gateway/adapters/http/forward.js';
import { addressOf } from '../../../services/gateway/adapters/http/limits.js';
import { LoopWatch } from '../../../services/gateway/adapters/http/loop-watch.js';
import { createApp } from '../../../services/gateway/app.js';
import { configSchema } from '../../../services/gateway/config.js';
import { createPublicServer } from '../../../services/gateway/server.js';
import { createTestIssuer, type TestIssuer } from '../../support/identity.js';

const DEVICE = '0198c0de-0000-7000-8000-00000000abcd';
const logger = createLogger({ service: 'gateway', replica: 'test', level: 'silent' });
const answer = { responses: { 200: { description: 'ok' } }, appId: 'video' } as const;

const ROUTES: readonly Route[] = [
  defineRoute({ ...answer, method: 'get', path: '/v1/open', auth: 'anyone', summary: '' }),
  defineRoute({ ...answer, method: 'get', path: '/v1/own', auth: 'user', summary: '', timeoutMs: 200 }),
  defineRoute({ ...answer, method: 'get', path: '/v1/ops', auth: 'operator', summary: '' }),
  defineRoute({ ...answer, method: 'post', path: '/v1/many', auth: 'ingest', summary: '', bodyBytesMax: 1_000 }),
  defineRoute({
    ...answer,
    method: 'post',
    path: '/v1/login',
    auth: 'anyone',
    summary: '',
    takesPassword: true,
    ignoresToken: true,
  }),
  defineRoute({
    ...answer,
    method: 'get',
    path: '/v1/thing/{id}',
    auth: 'anyone',
    summary: '',
    request: { params: z.object({ id: z.string().regex(/^[0-9]+$/) }) },
  }),
];

const ok: RequestListener = (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}');

let issuer: TestIssuer;
/** What stands in for the sidecar, and what it was sent. */
let sidecar: Server;
let answerOfSidecar: RequestListener;
let seen: IncomingMessage[];
let forwarder: Forwarder;
const servers: Server[] = [];

beforeAll(async () => {
  issuer = await createTestIssuer();
  sidecar = createServer((req, res) => {
    seen.push(req);
    answerOfSidecar(req, res);
  });
  await listen(sidecar);
});

beforeEach(() => {
  seen = [];
  answerOfSidecar = ok;
  forwarder = new Forwarder({ sidecarPort: portOf(sidecar), sidecarToken: 'sidecar-token', logger });
});

afterEach(() => {
  forwarder.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

afterAll(() => {
  sidecar.closeAllConnections();
  sidecar.close();
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

function gateway(env: Record<string, string> = {}, loop: Pick<LoopWatch, 'isTooMuch'> = new LoopWatch()) {
  const config = configSchema.parse({
    APP_PORT: '8080',
    APP_API_TOKEN: 'app-token-of-tests',
    DAPR_HTTP_PORT: '3500',
    DAPR_API_TOKEN: 'dapr-token-of-tests',
    PLAYBILL_REPLICA: 'gateway',
    ...env,
  });
  return createApp({
    config,
    scrapeToken: 'scrape-token-of-tests',
    logger,
    routes: ROUTES,
    verifier: issuer.verifier,
    forwarder,
    loop,
    ready: async () => {},
  }).listener;
}

const bearer = async (userId: string) => `Bearer ${await issuer.userToken({ userId })}`;

test('what is too much is refused at once, and counted; what is asked about the process itself is answered', async () => {
  const app = gateway({}, { isTooMuch: () => true });
  const { body } = await request(app).get('/v1/open').expect(503).expect('retry-after', '1');
  expect(body).toMatchObject({ code: 'UNAVAILABLE', status: 503 });
  expect(seen).toEqual([]);
  await request(app).get('/healthz').expect(200);
  const metrics = await request(app).get('/metrics').set('authorization', 'Bearer scrape-token-of-tests').expect(200);
  expect(metrics.text).toContain('playbill_gateway_answers_total{method="GET",route="none",status="503"} 1');
});

describe('what a service is told', () => {
  test('is the path, the query and the body as they came', async () => {
    let body = '';
    answerOfSidecar = (req, res) => {
      req.on('data', (data) => (body += data));
      req.on('end', () => ok(req, res));
    };
    const token = issuer.clientToken({ clientId: 'player', scopes: ['ingest'] });
    const call = request(gateway()).post('/v1/many?a=1%2F2&b=&a=3').set('authorization', `Bearer ${token}`);
    await call.type('application/x-ndjson').send('{"a":1}\n{"a":2}\n').expect(200);
    expect(seen[0]!.url).toBe('/v1.0/invoke/video/method/v1/many?a=1%2F2&b=&a=3');
    expect(seen[0]!.headers['content-type']).toContain('application/x-ndjson');
    expect(body).toBe('{"a":1}\n{"a":2}\n');
  });

  test('is no identity but the token: every other header stays here', async () => {
    await request(gateway())
      .get('/v1/open')
      .set({
        authorization: await bearer('7'),
        'x-user-id': '1',
        'x-forwarded-for': '1.2.3.4',
        forwarded: 'for=1.2.3.4',
        'dapr-app-id': 'batch',
        'dapr-api-token': 'mine',
        'dapr-caller-app-id': 'batch',
        'playbill-request-id': '0198c0de-0000-7000-8000-000000000001',
        cookie: 'a=b',
        'x-device-uuid': DEVICE,
      })
      .expect(200);
    const { headers } = seen[0]!;
    expect(Object.keys(headers).sort()).toEqual(
      [
        'accept',
        'authorization',
        'connection',
        'dapr-api-token',
        'host',
        'playbill-request-id',
        'traceparent',
        'x-device-uuid',
      ].filter((name) => name in headers),
    );
    expect(headers['dapr-api-token']).toBe('sidecar-token');
    expect(headers['playbill-request-id']).not.toBe('0198c0de-0000-7000-8000-000000000001');
    expect(headers['x-device-uuid']).toBe(DEVICE);
  });

  test.each([
    ['no token', '/v1/own', undefined, 401],
    ['a token that is not valid', '/v1/open', 'Bearer nonsense', 401],
    ['a user’s token', '/v1/ops', 'user', 403],
    ['a parameter that does not fit', '/v1/thing/x', undefined, 422],
    ['a parameter that leads elsewhere', '/v1/thing/..%2f..%2finternal', undefined, 422],
    ['another case', '/V1/open', undefined, 404],
  ])('is nothing of a request with %s', async (_what, path, authorization, status) => {
    const call = request(gateway()).get(path);
    if (authorization !== undefined)
      call.set('authorization', authorization === 'user' ? await bearer('7') : authorization);
    await call.expect(status).expect('content-type', /application\/problem\+json/);
    expect(seen).toEqual([]);
  });

  test('is nothing of a body that is too large', async () => {
    const token = issuer.clientToken({ clientId: 'player', scopes: ['ingest'] });
    const call = request(gateway()).post('/v1/many').set('authorization', `Bearer ${token}`);
    expect((await call.send('x'.repeat(1_001))).body).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(seen).toEqual([]);
  });

  test.each(['gzip', 'deflate', 'br'])('is nothing of a body that is not what it says: %s', async (encoding) => {
    const token = issuer.clientToken({ clientId: 'player', scopes: ['ingest'] });
    const call = request(gateway()).post('/v1/many').set('authorization', `Bearer ${token}`);
    const answered = await call.type('application/json').set('content-encoding', encoding).send('{"a":1}');
    expect(answered.body).toMatchObject({ status: 400, code: 'UNREADABLE' });
    expect(seen).toEqual([]);
  });
});

describe('what a client is told', () => {
  test('is the service’s answer as it is: status, type, hash and bytes', async () => {
    const STALE = '110 - "Response is Stale"';
    const pdf = Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff]);
    answerOfSidecar = (_req, res) =>
      res
        .writeHead(200, { 'content-type': 'application/pdf', etag: '"abc"', warning: STALE, 'x-internal': 'secret' })
        .end(pdf);
    const { body, headers } = await request(gateway()).get('/v1/open').buffer(true).parse(bytes);
    expect(body).toEqual(pdf);
    expect(headers).toMatchObject({
      'content-type': 'application/pdf',
      etag: '"abc"',
      warning: STALE,
      'cache-control': 'no-store',
    });
    expect(headers['x-internal']).toBeUndefined();
  });

  test.each([
    'Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial tcp: connect: connection refused\\"',
    'Internal desc = error invoking app channel: rpc error: code = Internal desc = app is not in a healthy state',
    'Internal desc = error invoking app channel: transport connection broken: http: ContentLength=7 with Body length 2',
  ])('is the answer of another replica when one did not hear of the request: %s', async (reason) => {
    const bodies: string[] = [];
    answerOfSidecar = async (req, res) => {
      let body = '';
      for await (const chunk of req) body += String(chunk);
      bodies.push(body);
      if (bodies.length > 2) return ok(req, res);
      const message = `failed to invoke, id: video, err: rpc error: code = ${reason}`;
      const type = { 'content-type': 'application/json' };
      res.writeHead(500, type).end(`{"errorCode":"ERR_DIRECT_INVOKE","message":"${message}"}`);
    };
    const token = issuer.clientToken({ clientId: 'player', scopes: ['ingest'] });
    const call = request(gateway()).post('/v1/many').set('authorization', `Bearer ${token}`);
    await call.type('application/json').send('{"a":1}').expect(200);
    expect(bodies).toEqual(Array(3).fill('{"a":1}'));
    expect(new Set(seen.map(({ headers }) => headers['playbill-request-id'])).size).toBe(1);
  });

  test.each([
    'error reading from server: EOF',
    'context deadline exceeded',
    'failed to invoke target video after 3 retries. Error: connect: connection refused',
  ])('is 503, and the request is not sent again, when a replica may have heard of it: %s', async (message) => {
    answerOfSidecar = (_req, res) =>
      res
        .writeHead(500, { 'content-type': 'application/json' })
        .end(JSON.stringify({ errorCode: 'ERR_DIRECT_INVOKE', message }));
    expect((await request(gateway()).get('/v1/open').expect(503)).body).toMatchObject({ code: 'UNAVAILABLE' });
    expect(seen).toHaveLength(1);
  });

  test('is the end of a stream when the gateway ends', async () => {
    answerOfSidecar = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('event: running\ndata: {}\n\n', () => setImmediate(() => forwarder.endStreams()));
    };
    await request(gateway()).get('/v1/open').expect(200);
  });

  test('is the service’s refusal as it is', async () => {
    answerOfSidecar = (_req, res) =>
      res
        .writeHead(409, { 'content-type': 'application/problem+json; charset=utf-8' })
        .end('{"code":"RUN_ACTIVE","runId":"r"}');
    expect((await request(gateway()).get('/v1/open').expect(409)).body).toEqual({ code: 'RUN_ACTIVE', runId: 'r' });
  });

  test.each([
    [500, '{"errorCode":"ERR_DIRECT_INVOKE","message":"circuit breaker is open"}'],
    [500, 'no address of app-id video'],
    [403, '{"errorCode":"ERR_DIRECT_INVOKE","message":"PermissionDenied"}'],
    [502, ''],
  ])('is 503 with Retry-After, and nothing of the reason, for a sidecar’s %i', async (status, text) => {
    answerOfSidecar = (_req, res) => res.writeHead(status, { 'content-type': 'application/json' }).end(text);
    const answered = await request(gateway()).get('/v1/open').expect(503).expect('retry-after', /^\d+$/);
    expect(answered.body.code).toBe('UNAVAILABLE');
    expect(JSON.stringify(answered.body)).not.toMatch(/circuit|address|Permission/);
  });

  test('is 503 when the sidecar is gone, or breaks off before it answers', async () => {
    answerOfSidecar = (req) => req.socket.destroy();
    await request(gateway()).get('/v1/open').expect(503).expect('retry-after', /^\d+$/);
  });

  test('is 503 when the answer does not come in time, and the service is told to stop', async () => {
    const closed = new Promise((resolve) => {
      answerOfSidecar = (req) => req.on('close', resolve);
    });
    const { body } = await request(gateway())
      .get('/v1/own')
      .set('authorization', await bearer('7'))
      .expect(503);
    expect(body.detail).toContain('in time');
    await closed;
  });

  test('is a stream’s event when it happens, not at the end', async () => {
    let end = () => {};
    answerOfSidecar = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\n');
      end = () => res.end('data: 2\n\n');
    };
    const server = createPublicServer(gateway(), { connectionsMax: 10 });
    servers.push(server);
    await listen(server);
    const response = await fetch(`http://127.0.0.1:${portOf(server)}/v1/open`);
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 1\n\n');
    end();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 2\n\n');
  });

  test('is no end that looks whole when the service breaks off in the middle', async () => {
    answerOfSidecar = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/csv', 'content-length': '100' });
      res.write('half', () => res.destroy());
    };
    await expect(request(gateway()).get('/v1/open').buffer(true)).rejects.toThrow(/aborted|hang up/);
  });
});

test('a client that goes away is not worked for', async () => {
  const closed = new Promise((resolve) => {
    answerOfSidecar = (req) => req.on('close', resolve);
  });
  const server = createPublicServer(gateway(), { connectionsMax: 10 });
  servers.push(server);
  await listen(server);
  const abort = new AbortController();
  const call = fetch(`http://127.0.0.1:${portOf(server)}/v1/open`, { signal: abort.signal }).catch(() => undefined);
  while (seen.length === 0) await pause(5);
  abort.abort();
  await Promise.all([call, closed]);
});

describe('limits', () => {
  const tooMany = (res: request.Response) => {
    expect(res.body).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' });
    expect(Number(res.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(res.headers['retry-after'])).toBeLessThanOrEqual(600);
  };

  test('of a device: one has had enough, another goes on', async () => {
    const app = gateway({ GATEWAY_DEVICE_REQUESTS: '2' });
    const ask = (device: string) => request(app).get('/v1/open').set('x-device-uuid', device);
    await ask(DEVICE).expect(200);
    await ask(DEVICE.toUpperCase()).expect(200);
    tooMany(await ask(DEVICE));
    await ask(DEVICE.replace('0198', '0199')).expect(200);
    expect(seen.length).toBe(3);
  });

  test('of a user: by the account, whatever the token and the device', async () => {
    const app = gateway({ GATEWAY_USER_REQUESTS: '2' });
    const ask = async (userId: string, device: string) =>
      request(app)
        .get('/v1/own')
        .set('authorization', await bearer(userId))
        .set('x-device-uuid', device);
    await ask('7', DEVICE);
    await ask('7', DEVICE.replace('0198', '0199'));
    tooMany(await ask('7', DEVICE.replace('0198', '0200')));
    expect((await ask('8', DEVICE)).status).toBe(200);
  });

  test('of an address: for all that come from it, and before a token is looked at', async () => {
    const app = gateway({ GATEWAY_ADDRESS_REQUESTS: '2' });
    await request(app).get('/v1/open').expect(200);
    await request(app).get('/v1/nothing').expect(404);
    tooMany(await request(app).get('/v1/own').set('authorization', 'Bearer nonsense'));
    await request(app).get('/healthz').expect(200);
  });

  test('of an address that a client claims are none: X-Forwarded-For counts from a trusted proxy only', async () => {
    const ask = (app: ReturnType<typeof gateway>, address: string) =>
      request(app).get('/v1/open').set('x-forwarded-for', address);
    const direct = gateway({ GATEWAY_ADDRESS_REQUESTS: '1' });
    await ask(direct, '1.1.1.1').expect(200);
    tooMany(await ask(direct, '2.2.2.2'));
    const behindProxy = gateway({ GATEWAY_ADDRESS_REQUESTS: '1', GATEWAY_TRUSTED_PROXIES: '127.0.0.1' });
    await ask(behindProxy, '1.1.1.1').expect(200);
    await ask(behindProxy, '2.2.2.2').expect(200);
  });

  test('of failed logins of an address, over all accounts; logins that succeed do not count', async () => {
    const app = gateway({ GATEWAY_LOGIN_FAILURES: '2' });
    const login = () => request(app).post('/v1/login').send({});
    for (let i = 0; i < 4; i += 1) await login().expect(200);
    answerOfSidecar = (_req, res) => res.writeHead(401, { 'content-type': 'application/problem+json' }).end('{}');
    await login().expect(401);
    await login().expect(401);
    tooMany(await login());
  });

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    [undefined, 'unknown'],
  ])('count the address %s as %s', (ip, address) => {
    expect(addressOf(ip)).toBe(address);
  });
});

describe('the public server', () => {
  test('ends a connection whose headers do not come', async () => {
    const server = createPublicServer(gateway(), { connectionsMax: 10, headersTimeoutMs: 200, checkIntervalMs: 50 });
    servers.push(server);
    await listen(server);
    const text = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(portOf(server), '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n'));
      socket.on('data', (data) => (received += data));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 .*too long to arrive/s);
  });

  test('refuses headers that are too large', async () => {
    const server = createPublicServer(gateway(), { connectionsMax: 10 });
    servers.push(server);
    await listen(server);
    const response = await fetch(`http://127.0.0.1:${portOf(server)}/healthz`, {
      headers: { 'x-large': 'x'.repeat(20_000) },
    });
    expect(await response.json()).toMatchObject({ status: 400, code: 'UNREADABLE' });
  });
});

function bytes(res: request.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  const stream = res as unknown as NodeJS.ReadableStream;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => done(null, Buffer.concat(chunks)));
}
