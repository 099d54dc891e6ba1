import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { forgetEverything } from './support/batch.js';
import { callGateway, gatewayUrl, logIn, signUp } from './support/gateway.js';
import { userClient } from './support/identity.js';
import { eventually, generate, stack } from './support/stack.js';

/** An account that the command line has made an operator's, signed in. */
async function operator(): Promise<string> {
  const account = { email: `${randomUUID()}@example.com`, password: 'an operator of this' };
  await userClient().addOperator(account);
  return (await logIn(account)).accessToken;
}

describe('the public port', () => {
  test('says that it lives and that it serves', async () => {
    expect((await callGateway('/healthz')).body).toEqual({ status: 'ok' });
    expect((await callGateway('/readyz')).body).toEqual({ status: 'ready' });
  });

  test('answers an unknown path with a problem that names its trace', async () => {
    const trace = 'a'.repeat(32);
    const answer = await callGateway('/v1/nothing', { headers: { traceparent: `00-${trace}-${'b'.repeat(16)}-00` } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status: 404, code: 'NOT_FOUND', traceId: trace });
  });

  test('carries a trace to the service and back in its problem', async () => {
    const trace = 'c'.repeat(32);
    const headers = { traceparent: `00-${trace}-${'b'.repeat(16)}-00` };
    const answer = await callGateway('/v1/user/login', { body: { email: 'x@example.com', password: 'x' }, headers });
    expect(answer.body).toMatchObject({ status: 401, code: 'LOGIN_FAILED', traceId: trace });
  });

  test('protects browsers, and lets no other origin in', async () => {
    const { headers } = await callGateway('/docs', { headers: { origin: 'https://elsewhere.example' } });
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test('keeps its metrics from the public', async () => {
    expect((await callGateway('/metrics')).status).toBe(404);
    const tokenOf = (name: string) => stack().secrets[name]!.token!;
    const { text } = await callGateway('/metrics', { token: tokenOf('scrape-token') });
    expect(text).toContain('playbill_gateway_answers_total');
    expect((await callGateway('/metrics', { token: tokenOf('app-api-token') })).status).toBe(404);
  });

  test('shows its contract to programs and to people, and nothing of it comes from elsewhere', async () => {
    const { body } = await callGateway('/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/v1/ops/runs/{runId}/events');
    const page = (await callGateway('/docs')).text;
    expect(page).toContain('/v1/user/signup');
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  test('refuses a body that is too large, unread', async () => {
    const answer = await callGateway('/v1/user/login', { body: 'x'.repeat(70_000) });
    expect(answer.body).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
  });

  test('refuses a body that is not JSON', async () => {
    const answer = await callGateway('/v1/user/login', { body: '{"email":' });
    expect(answer.body).toMatchObject({ status: 400, code: 'UNREADABLE' });
  });

  test('answers what is not HTTP, and ends the connection', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      let answer = '';
      const { hostname, port } = new URL(gatewayUrl());
      const socket = connect(Number(port), hostname, () => socket.write('nonsense\r\n\r\n'));
      socket.on('data', (data) => (answer += data));
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 .*"code":"UNREADABLE"/s);
  });

  test.each([
    '/v1/video/..%2f..%2finternal%2fjwks',
    '/v1/video/%2e%2e',
    '/v1/ops/runs/..%2f..%2f..%2fmetrics',
    '/v1/user/..%2f..%2finternal/jwks',
    '/V1/user/login',
    '//internal/jwks',
    '/internal/jwks',
    '/v1.0/invoke/user/method/internal/jwks',
  ])('leads nowhere else: %s', async (path) => {
    const token = await operator();
    const { pathname } = new URL(gatewayUrl());
    expect(pathname).toBe('/');
    const status = await new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(gatewayUrl());
      const headers = { authorization: `Bearer ${token}` };
      httpRequest({ hostname, port, path, headers }, (res) => resolve(res.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
    expect([404, 422]).toContain(status);
  });
});

describe('identity', () => {
  test('comes from the token only: headers that claim one are not passed on', async () => {
    const headers = { 'x-user-id': '1', 'x-user-roles': 'operator', 'dapr-caller-app-id': 'batch', forwarded: 'for=1' };
    expect((await callGateway('/v1/ops/runs', { headers })).status).toBe(401);
    const user = await signUp();
    expect((await callGateway('/v1/ops/runs', { headers, token: user.accessToken })).status).toBe(403);
  });

  test('of an operator opens the operators’ calls', async () => {
    const { status, body } = await callGateway('/v1/ops/runs', { token: await operator() });
    expect(status).toBe(200);
    expect(body).toMatchObject({ items: expect.any(Array), nextCursor: null });
  });

  test('a refresh token is no access token', async () => {
    const { refreshToken } = await signUp();
    expect((await callGateway('/v1/user/logout', { method: 'POST', token: refreshToken })).status).toBe(401);
  });

  test('an expired token does not stand in the way of a new one', async () => {
    const user = await signUp();
    const body = { refreshToken: user.refreshToken };
    expect((await callGateway('/v1/user/refresh', { token: 'a.b.c', body })).status).toBe(200);
  });

  test('is told apart by nothing at login: the same words for an unknown account and a wrong password', async () => {
    const user = await signUp();
    const ask = (email: string) => callGateway('/v1/user/login', { body: { email, password: 'wrong password' } });
    const [wrong, unknown] = [await ask(user.email), await ask(`${randomUUID()}@example.com`)];
    const { traceId: _a, ...one } = wrong.body;
    const { traceId: _b, ...other } = unknown.body;
    expect(one).toEqual(other);
  });
});

describe('a run', () => {
  const DAY = '2026-10-03';

  test('is asked for and followed through the gateway as it happens', async () => {
    await forgetEverything();
    await generate({ day: DAY, events: 20_000, videos: 500, seed: 3 });
    const token = await operator();
    const asked = await callGateway('/v1/ops/runs', { token, body: { date: DAY, job: 'statistics' } });
    expect(asked.status).toBe(202);
    const response = await fetch(`${gatewayUrl()}/v1/ops/runs/${asked.body.runId}/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(60_000),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const chunks: string[] = [];
    for await (const chunk of response.body!) chunks.push(Buffer.from(chunk).toString());
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.join('')).toMatch(/event: completed/);
    const { body: run } = await callGateway(`/v1/ops/runs/${asked.body.runId}`, { token });
    expect(run).toMatchObject({ state: 'completed', day: DAY, requestedBy: expect.stringMatching(/^u:\d+$/) });
  });
});

describe('while a service is away', () => {
  test('its calls are answered 503 with Retry-After, and others go on, with the keys that are known', async () => {
    const token = await operator();
    await callGateway('/v1/ops/runs', { token });
    await stack().setAutoRestart('user-1', false);
    await stack().kill('user-1');
    try {
      const answer = await callGateway('/v1/user/login', { body: { email: 'x@example.com', password: 'whatever' } });
      expect(answer.status).toBe(503);
      expect(answer.body.code).toBe('UNAVAILABLE');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await callGateway('/v1/ops/runs', { token })).status).toBe(200);
    } finally {
      await stack().setAutoRestart('user-1', true);
      await stack().waitHealthy();
    }
    await eventually(async () => ((await signUp()).accessToken ? true : undefined), {
      what: 'signing up again',
      deadlineMs: 20_000,
    });
  });
});
