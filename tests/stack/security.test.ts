import { createHmac, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { ROUTES, type Route } from '#lib/contract';
import { statementCsv } from '../../services/report/domain/csv.js';
import { createTestIssuer, type TestIssuer } from '../support/identity.js';
import { parseCsv, statementWith } from '../unit/report/support.js';
import { callGateway, gatewayUrl, logIn, type SignedIn, signUp } from './support/gateway.js';
import { userClient } from './support/identity.js';
import { databaseConnection } from './support/stack.js';

/**
 * What an outsider, an anonymous device, a creator and a service that was taken over try, and do not get. Calls past the
 * gateway are in access-control.test.ts, arbitrary requests in fuzz.test.ts, paths in gateway.test.ts.
 */

const DEVICE = randomUUID();
const NOW_SECONDS = Math.floor(Date.now() / 1_000);
/** What an operator's token says. */
const CLAIMS = { iss: 'playbill', aud: 'playbill', sub: 'u:7', sid: 's', roles: ['creator', 'operator'] };
const CURRENT = { ...CLAIMS, iat: NOW_SECONDS, exp: NOW_SECONDS + 600 };

let alice: SignedIn;
let bob: SignedIn;
let videoId: string;
let ingestToken: string;
let issuer: TestIssuer;

beforeAll(async () => {
  [alice, bob] = await Promise.all([signUp(), signUp()]);
  const video = await callGateway('/v1/video', {
    token: alice.accessToken,
    body: { title: 'Alice’s', lengthSeconds: 600 },
  });
  videoId = video.body.videoId;
  ingestToken = (await userClient().addClient({ clientId: `security-${Date.now()}`, scopes: ['ingest'] })).token;
  // The id of a key that is in use is public: it is in every token.
  const [head] = alice.accessToken.split('.');
  issuer = await createTestIssuer(JSON.parse(Buffer.from(head!, 'base64url').toString()).kid);
});

const guarded = ROUTES.filter(({ auth }) => auth !== 'anyone');
const pathOf = ({ path }: Route) => path.replace(/\{\w+\}/g, '1');

/** Calls a route with an empty body. */
function call(route: Route, headers: Record<string, string>) {
  const body = route.method === 'post' ? { body: {} } : {};
  return callGateway(pathOf(route), { ...body, headers });
}

/** Which of these routes do not answer a call as expected. */
async function wrongAnswers(routes: readonly Route[], headers: Record<string, string>, statuses: readonly number[]) {
  const wrong: string[] = [];
  for (const route of routes) {
    const { status } = await call(route, headers);
    if (!statuses.includes(status)) wrong.push(`${route.method} ${route.path}: ${status}`);
  }
  expect(routes.length).toBeGreaterThan(0);
  return wrong;
}

describe('an outsider', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = (alg: string) => encode({ alg, typ: 'at+jwt', kid: issuer.key.kid });
  const [header, payload] = [() => alice.accessToken.split('.')[0]!, () => alice.accessToken.split('.')[1]!];

  const TOKENS: [string, () => string | Promise<string>][] = [
    ['none', () => ''],
    ['signed by another key of the same name', () => issuer.forge({}, CURRENT)],
    ['that has expired, of another key', () => issuer.forge({}, { ...CLAIMS, iat: 1, exp: 2 })],
    ['for somebody else (aud)', () => issuer.forge({}, { ...CURRENT, aud: 'elsewhere' })],
    ['without a signature (alg none)', () => `${head('none')}.${encode(CURRENT)}.`],
    ['without a signature (alg NoNe)', () => `${head('NoNe')}.${encode(CURRENT)}.`],
    [
      'signed with the public key as a secret (HS256)',
      () => {
        const body = `${head('HS256')}.${encode(CURRENT)}`;
        const key = JSON.stringify(issuer.keys().keys[0]);
        return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
      },
    ],
    ['that brings its own key (jwk)', () => issuer.forge({ jwk: issuer.keys().keys[0]! as never }, CURRENT)],
    ['that says where its key is (jku)', () => issuer.forge({ jku: 'http://127.0.0.1:1/jwks' }, CURRENT)],
    ['whose claims were changed', () => `${header()}.${encode(CURRENT)}.${alice.accessToken.split('.')[2]}`],
    ['whose signature was cut off', () => `${header()}.${payload()}.`],
    ['a refresh token', () => alice.refreshToken],
    ['a made-up client token', () => 'pbc_made-up'],
    ['of 15 kB', () => 'x'.repeat(15_000)],
  ];

  test.each(TOKENS)('gets 401 from every guarded call with a token %s', async (_what, makeToken) => {
    const token = await makeToken();
    const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
    expect(await wrongAnswers(guarded, headers, [401])).toEqual([]);
  });

  test('gets nothing by other schemes or several tokens', async () => {
    for (const authorization of [
      alice.accessToken,
      `Basic ${alice.accessToken}`,
      `Bearer x, Bearer ${alice.accessToken}`,
    ]) {
      expect((await callGateway('/v1/info/balance', { headers: { authorization } })).status).toBe(401);
    }
  });
});

test('an anonymous device gets 401 where an account is needed, whatever it claims to be', async () => {
  const headers = { 'x-device-uuid': DEVICE, 'x-user-id': alice.userId, 'x-forwarded-user': alice.userId };
  expect(await wrongAnswers(guarded, headers, [401])).toEqual([]);
});

describe('a creator', () => {
  test('gets 403 from every call of operators and of clients', async () => {
    const routes = guarded.filter(({ auth }) => auth === 'operator' || auth === 'ingest');
    expect(await wrongAnswers(routes, { authorization: `Bearer ${bob.accessToken}` }, [403])).toEqual([]);
  });

  test('sees nothing of another’s money, by whatever name it is asked for', async () => {
    const token = bob.accessToken;
    const today = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const explained = await callGateway(`/v1/info/bill/explain?date=${today}&videoId=${videoId}`, { token });
    expect([403, 404]).toContain(explained.status);
    for (const query of [`creator=${alice.userId}`, `creatorId=${alice.userId}`, `userId=${alice.userId}`]) {
      for (const path of ['/v1/info/bill/daily', '/v1/info/balance', '/v1/info/ledger', '/v1/video']) {
        const { status, text } = await callGateway(`${path}?${query}`, { token });
        expect([200, 404, 422]).toContain(status);
        expect(text).not.toContain(videoId);
      }
    }
    expect((await callGateway(`/v1/info/bill/mail/${randomUUID()}`, { token })).status).toBe(404);
  });

  test('registers no video for another, and gets no role by asking for one', async () => {
    const body = { title: 'mine', lengthSeconds: 60, creatorId: alice.userId, videoId: '1' };
    const made = await callGateway('/v1/video', { token: bob.accessToken, body });
    if (made.status === 201) expect(made.body.creatorId).toBe(bob.userId);
    else expect(made.status).toBe(422);
    const account = { email: `${randomUUID()}@example.com`, password: 'correct horse battery' };
    await callGateway('/v1/user/signup', { body: { ...account, roles: ['operator'], operator: true } });
    await callGateway('/v1/user/signup', { body: account });
    const { accessToken } = await logIn(account);
    expect((await callGateway('/v1/ops/runs', { token: accessToken })).status).toBe(403);
  });
});

test('a client that may send stops may do nothing else', async () => {
  const routes = guarded.filter(({ auth }) => auth !== 'ingest');
  expect(await wrongAnswers(routes, { authorization: `Bearer ${ingestToken}` }, [401, 403])).toEqual([]);
});

describe('a service that was taken over', () => {
  const FORBIDDEN: [account: string, sql: string][] = [
    ['watch-history', 'SELECT * FROM playbill_batch.posting'],
    ['watch-history', "UPDATE playbill_watch.watch_event SET viewer = 'u:1'"],
    ['watch-history', 'DELETE FROM playbill_watch.watch_event'],
    ['batch', 'UPDATE playbill_batch.posting SET amount = 0'],
    ['batch', 'DELETE FROM playbill_batch.posting'],
    ['batch', 'DELETE FROM playbill_batch.ledger_entry'],
    ['batch', 'DELETE FROM playbill_watch.watch_event'],
    ['video-info', 'INSERT INTO playbill_batch.top_video SELECT * FROM playbill_batch.top_video'],
    ['video-info', 'SELECT * FROM playbill_user.user'],
    ['report', 'SELECT * FROM playbill_user.user'],
    ['report', 'UPDATE playbill_batch.posting SET amount = 0'],
    ['user', 'SELECT * FROM playbill_batch.ledger_entry'],
    ['video', 'UPDATE playbill_video.video SET creator_id = 1'],
    ['advertisement', 'SELECT * FROM playbill_watch.watch_event'],
    ['maintenance', 'SELECT * FROM playbill_batch.posting'],
  ];

  test.each(FORBIDDEN)('may not, as %s: %s', async (account, sql) => {
    const connection = await databaseConnection(account);
    await expect(connection.query(sql)).rejects.toThrow('denied');
    await connection.end();
  });
});

describe('text that is meant as something else', () => {
  const SQL = [
    "' OR '1'='1",
    "'; DROP TABLE playbill_user.user; --",
    '1) UNION SELECT 1,2,3 --',
    "\\' OR 1=1 #",
    '"); --',
  ];

  test.each(SQL)('as SQL is text in every field: %s', async (text) => {
    const { accessToken: token } = alice;
    const encoded = encodeURIComponent(text);
    const made = await callGateway('/v1/video', { token, body: { title: text, lengthSeconds: 10 } });
    expect([made.status, made.body.title]).toEqual([201, text]);
    expect((await callGateway(`/v1/video/${made.body.videoId}`)).body.title).toBe(text);
    const event = { videoId, playedTime: 1, lastWatched: 1, adViewCount: 0 };
    const watchedAt = new Date().toISOString();
    const bulk = { ...event, eventId: randomUUID(), watchedAt, viewer: `d:${DEVICE}` };
    const answers = await Promise.all([
      callGateway('/v1/user/login', { body: { email: text, password: text } }),
      callGateway('/v1/user/login', { body: { email: alice.email, password: text } }),
      callGateway('/v1/user/refresh', { body: { refreshToken: text } }),
      callGateway(`/v1/video/${encoded}`),
      callGateway('/v1/video/play', { body: { videoId: text }, device: DEVICE }),
      callGateway('/v1/video/stop', { body: { ...event, videoId: text }, device: DEVICE }),
      callGateway('/v1/video/stop', { body: { ...event, eventId: text, watchedAt }, device: DEVICE }),
      callGateway('/v1/video/stop', { body: event, headers: { 'x-device-uuid': encoded } }),
      callGateway(`/v1/video?creator=me&cursor=${encoded}`, { token }),
      callGateway(`/v1/info/top5/daily?date=${encoded}`),
      callGateway(`/v1/info/bill/weekly?week=${encoded}`, { token }),
      callGateway(`/v1/info/ledger?cursor=${encoded}`, { token }),
      callGateway(`/v1/info/bill/mail/${encoded}`, { token }),
    ]);
    expect(answers.map(({ status }) => status).filter((status) => status < 400 || status >= 500)).toEqual([]);
    for (const bad of [{ videoId: text }, { viewer: text }, { viewer: `d:${text}` }, { eventId: text }]) {
      const answer = await callGateway('/v1/video/stops', {
        token: ingestToken,
        body: { events: [{ ...bulk, ...bad }] },
      });
      expect([answer.status, answer.body.accepted, answer.body.rejected]).toEqual([200, 0, 1]);
    }
    expect((await logIn(alice)).accessToken).toBeDefined();
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '=HYPERLINK("http://x")'])(
    'as a formula is text in an exported cell: %j',
    (title) => {
      const statement = statementWith(1);
      const [video] = statement.content.videos;
      const content = { ...statement.content, videos: [{ ...video!, title }] };
      const records = parseCsv(statementCsv({ ...statement, content }));
      expect(records.find(({ record }) => record === 'video')?.title).toBe(`'${title}`);
    },
  );

  test.each([
    'a@example.com\r\nBcc: b@example.com',
    'a@example.com\nBcc: b@example.com',
    'a@example.com, b@example.com',
  ])('as another header of a mail is no address: %j', async (email) => {
    const answer = await callGateway('/v1/user/signup', { body: { email, password: 'correct horse battery' } });
    expect([answer.status, answer.body.code]).toEqual([422, 'INVALID']);
  });

  test('as another header of a mail is no week', async () => {
    const body = { week: '2026-W47\r\nBcc: b@example.com' };
    expect((await callGateway('/v1/info/bill/mail', { token: alice.accessToken, body })).status).toBe(422);
  });
});

describe('a body', () => {
  const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

  test.each([
    ['arrays', nested('[', ']', 30_000)],
    ['objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['an event in arrays', `{"events":${nested('[', ']', 30_000)}}`],
    ['a prototype', '{"__proto__":{"roles":["operator"]},"constructor":{"prototype":{"x":1}}}'],
  ])('of nested %s is refused as what it is, and harms nobody', async (_what, body) => {
    for (const [path, token] of [
      ['/v1/user/login', undefined],
      ['/v1/video', alice.accessToken],
      ['/v1/video/stops', ingestToken],
    ] as const) {
      const answer = await callGateway(path, { body, ...(token === undefined ? {} : { token }) });
      // Of many stops, what is no stop is rejected by itself.
      if (answer.status === 200) expect([answer.body.accepted, answer.body.rejected]).toEqual([0, 1]);
      else expect([400, 401, 413, 422]).toContain(answer.status);
    }
    expect((await callGateway('/healthz')).status).toBe(200);
  });

  test('that is too large is 413 on every call that takes one', async () => {
    const routes = ROUTES.filter(({ method, auth }) => method === 'post' && auth !== 'operator');
    for (const route of routes) {
      const token = { anyone: undefined, user: alice.accessToken, ingest: ingestToken, operator: undefined }[
        route.auth
      ];
      const body = ' '.repeat((route.bodyBytesMax ?? 65_536) + 1);
      const answer = await callGateway(pathOf(route), { body, ...(token === undefined ? {} : { token }) });
      expect([route.path, answer.status, answer.body.code]).toEqual([route.path, 413, 'BODY_TOO_LARGE']);
    }
  });
});

describe('a request inside another (smuggling)', () => {
  const INNER = 'GET /v1/ops/runs HTTP/1.1\r\nHost: x\r\n\r\n';
  const HEAD = 'POST /v1/user/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  test.each([
    ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: ${INNER.length + 2}\r\n\r\n{}${INNER}`],
    ['a length and chunks', `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`],
    ['chunks that are none', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n${INNER}`],
    ['an unknown encoding', `${HEAD}Transfer-Encoding: xchunked\r\n\r\n${INNER}`],
    ['a space before the colon', `${HEAD}Content-Length : ${INNER.length}\r\n\r\n${INNER}`],
    ['a header over two lines', `${HEAD}X-A: 1\r\n Content-Length: 2\r\nTransfer-Encoding: ,chunked\r\n\r\n${INNER}`],
    ['a zero byte in a header', `${HEAD}X-A: a\0b\r\nContent-Length: 0\r\n\r\n${INNER}`],
  ])('by %s gets one answer, a refusal, and the connection ends', async (_what, text) => {
    const answer = await sendRaw(text);
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 400']);
  });

  test('by a line break in a header’s value never leaves the client, nor by a path', async () => {
    const answer = await sendRaw(`GET /v1/video/1%0d%0aX-Admin:%201 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 4(04|22)/);
    expect(answer.toLowerCase()).not.toContain('\r\nx-admin');
  });
});

/** @returns everything that comes back until the connection ends */
function sendRaw(text: string): Promise<string> {
  const { hostname, port } = new URL(gatewayUrl());
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(10_000, () => socket.destroy(new Error(`the connection stays open: ${answer}`)));
    socket.on('data', (data) => (answer += data));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
