import { createHmac } from 'node:crypto';
import { ROUTES, type Route } from '#lib/contract';
import { createTestIssuer, type TestIssuer } from '../support/identity.js';
import { signUp } from './support/gateway.js';
import { eventually, stack } from './support/stack.js';

/** Who calls whom, as the design has it; everything else is refused by the called service's sidecar. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  user: ['batch', 'gateway', 'report', 'video', 'video-info', 'watch-history'],
  batch: ['gateway', 'video-info'],
  video: ['gateway', 'watch-history'],
  'watch-history': ['batch', 'gateway', 'video'],
  advertisement: ['watch-history'],
  'advertisement-reserve': ['watch-history'],
  'video-info': ['gateway'],
  report: ['gateway'],
  gateway: [],
};

const SIDECAR_TIMEOUT_MS = 15_000;

interface Invocation {
  readonly caller: string;
  readonly callee: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An invocation as the caller's own app would make it. */
async function invoke({ caller, callee, path, method = 'GET', headers = {} }: Invocation) {
  const { apps, daprApiToken } = stack().endpoints;
  const port = apps[caller]?.[0]?.sidecarHttpPort;
  const response = await fetch(`http://127.0.0.1:${port}/v1.0/invoke/${callee}/method${path}`, {
    method,
    headers: { 'dapr-api-token': daprApiToken, 'content-type': 'application/json', ...headers },
    body: method === 'POST' ? '{}' : null,
    signal: AbortSignal.timeout(SIDECAR_TIMEOUT_MS),
  });
  const text = await response.text();
  return { status: response.status, text, isOfSidecar: text.includes('ERR_DIRECT_INVOKE') };
}

const PROBES = [
  { method: 'GET', path: '/internal/jwks' },
  { method: 'POST', path: '/v1/ops/runs' },
];

const running = () => Object.keys(stack().endpoints.apps);

describe('a service', () => {
  test('is called by those only that have business there; the sidecar of the called one refuses all others', async () => {
    const strangers = running().flatMap((callee) =>
      running()
        .filter((caller) => caller !== callee && !ALLOWED[callee]!.includes(caller))
        .map((caller) => ({ caller, callee })),
    );
    // A refusal is repeated by the caller's sidecar, which takes its time.
    const answers = await Promise.all(
      strangers.flatMap((pair) =>
        PROBES.map(async (probe) => ({ ...pair, ...probe, ...(await invoke({ ...pair, ...probe })) })),
      ),
    );
    const wrong = answers.filter(({ status, text }) => status !== 403 || !text.includes('PermissionDenied'));
    expect(strangers.length).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });

  test('is called by nobody for what nobody calls, not by the gateway either', async () => {
    const services = running().filter((appId) => appId !== 'gateway');
    const paths = ['/healthz', '/metrics', '/internal/ops/token', '/internal/ops/operators'];
    const calls = services.flatMap((callee) => paths.map((path) => ({ caller: 'gateway', callee, path })));
    const answers = await Promise.all(calls.map(async (call) => ({ ...call, ...(await invoke(call)) })));
    expect(answers.filter(({ status, isOfSidecar }) => status !== 403 || !isOfSidecar)).toEqual([]);
  });

  test('is not known to this test only by its name: every app of the stack is in the list', () => {
    expect(Object.keys(ALLOWED)).toEqual(expect.arrayContaining(running()));
  });

  test('answers its own sidecar only', async () => {
    for (const app of Object.values(stack().endpoints.apps).flat()) {
      if (app.name === 'gateway') continue;
      for (const headers of [{}, { 'dapr-api-token': 'wrong' }, { 'dapr-api-token': stack().endpoints.daprApiToken }]) {
        const response = await fetch(`http://127.0.0.1:${app.appPort}/v1/anything`, { headers });
        expect([app.name, response.status]).toEqual([app.name, 401]);
      }
    }
  });

  test('is reached by its own app only: a sidecar without its token does nothing', async () => {
    for (const app of Object.values(stack().endpoints.apps).flat()) {
      for (const headers of [{}, { 'dapr-api-token': 'wrong' }] as Record<string, string>[]) {
        const response = await fetch(`http://127.0.0.1:${app.sidecarHttpPort}/v1.0/invoke/user/method/internal/jwks`, {
          headers,
        });
        expect([app.name, response.status]).toEqual([app.name, 401]);
      }
    }
  });
});

describe('a service verifies tokens itself', () => {
  const guarded = () => ROUTES.filter(({ auth, appId }) => auth !== 'anyone' && running().includes(appId));
  const NOW_SECONDS = Math.floor(Date.now() / 1_000);
  const claims = { iss: 'playbill', aud: 'playbill', sub: 'u:7', sid: 's', roles: ['creator', 'operator'] };
  const current = { ...claims, iat: NOW_SECONDS, exp: NOW_SECONDS + 600 };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  let other: TestIssuer;

  beforeAll(async () => {
    // Of the name of a key that is in use, so that nothing but the signature tells them apart.
    const { text } = await invoke({ caller: 'gateway', callee: 'user', path: '/internal/jwks' });
    other = await createTestIssuer(JSON.parse(text).keys[0].kid);
  });

  const TOKENS: [string, () => Promise<string | undefined>][] = [
    ['none', async () => undefined],
    ['of another key of the same name', () => other.forge({}, current)],
    [
      'unsigned (alg none)',
      async () => `${encode({ alg: 'none', typ: 'at+jwt', kid: other.key.kid })}.${encode(current)}.`,
    ],
    [
      'signed by the public key as a secret (HS256)',
      async () => {
        const body = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: other.key.kid })}.${encode(current)}`;
        const secret = JSON.stringify(other.keys().keys[0]);
        return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
      },
    ],
    ['a refresh token', async () => (await signUp()).refreshToken],
    ['a made-up client token', async () => 'pbc_made-up'],
    ['nonsense', async () => 'nonsense'],
  ];

  const pathOf = ({ path }: Route) => path.replace(/\{\w+\}/g, '1');

  test.each(TOKENS)('%s: 401 from every guarded call, past the gateway', async (_what, makeToken) => {
    const token = await makeToken();
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const wrong: string[] = [];
    for (const route of guarded()) {
      const { appId, method } = route;
      const call = { caller: 'gateway', callee: appId, path: pathOf(route), method: method.toUpperCase(), headers };
      const { status, text } = await invoke(call);
      if (status !== 401 || !text.includes('UNAUTHENTICATED')) wrong.push(`${method} ${route.path}: ${status} ${text}`);
    }
    expect(wrong).toEqual([]);
    expect(guarded().length).toBeGreaterThan(5);
  });

  test('a user’s token is no operator’s: 403 from every call of operators, past the gateway', async () => {
    const { accessToken } = await signUp();
    const headers = { authorization: `Bearer ${accessToken}` };
    const wrong: string[] = [];
    for (const route of guarded().filter(({ auth }) => auth === 'operator' || auth === 'ingest')) {
      const { appId, method } = route;
      const call = { caller: 'gateway', callee: appId, path: pathOf(route), method: method.toUpperCase(), headers };
      const { status, text, isOfSidecar } = await invoke(call);
      if (status !== 403 || isOfSidecar) wrong.push(`${method} ${route.path}: ${status} ${text}`);
    }
    expect(wrong).toEqual([]);
  });
});

test('every call of the contract is let through to its service by access control', async () => {
  const wrong: string[] = [];
  for (const { appId, method, path } of ROUTES.filter((route) => running().includes(route.appId))) {
    const call = {
      caller: 'gateway',
      callee: appId,
      path: path.replace(/\{\w+\}/g, '1'),
      method: method.toUpperCase(),
    };
    const answer = await eventually(() => invoke(call), { what: path, deadlineMs: SIDECAR_TIMEOUT_MS });
    if (answer.isOfSidecar) wrong.push(`${method} ${path}: ${answer.text}`);
  }
  expect(wrong).toEqual([]);
});
