import { createHmac } from 'node:crypto';
import { LogLevel } from '@dapr/dapr';
import grpc from '@dapr/dapr/implementation/Client/GRPCClient/GRPCClient.js';
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

/** Who publishes a topic, and who reads it. */
const TOPICS: Readonly<Record<string, { readonly publisher: string; readonly readers: readonly string[] }>> = {
  'watch.recorded': { publisher: 'watch-history', readers: ['advertisement', 'video'] },
  'run.progress': { publisher: 'batch', readers: [] },
  'statistics.completed': { publisher: 'batch', readers: ['video-info'] },
  'settlement.completed': { publisher: 'batch', readers: ['video-info'] },
  'statement.ready': { publisher: 'report', readers: [] },
  'dead-letters.advertisement': { publisher: 'advertisement', readers: ['advertisement'] },
  'dead-letters.video': { publisher: 'video', readers: ['video'] },
};

/** Components that an app's sidecar has, beside the store of secrets. */
const COMPONENTS: Readonly<Record<string, readonly string[]>> = {
  user: [],
  batch: ['actor-state', 'cron-daily', 'pubsub'],
  video: ['cache', 'pubsub'],
  'watch-history': ['pubsub'],
  advertisement: ['pubsub'],
  'advertisement-reserve': [],
  'video-info': ['cache', 'pubsub'],
  report: ['cron-statements', 'pubsub'],
  gateway: [],
};

/** Secrets that an app may read. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  user: ['mysql-user', 'ops-key', 'user-key-encryption'],
  batch: ['mysql-batch', 'mysql-maintenance'],
  video: ['mysql-video'],
  'watch-history': ['mysql-watch-history'],
  advertisement: ['mysql-advertisement'],
  'advertisement-reserve': ['mysql-advertisement'],
  'video-info': ['mysql-video-info'],
  report: ['mysql-report', 'smtp'],
  gateway: ['scrape-token'],
};

const SIDECAR_TIMEOUT_MS = 15_000;

interface Call {
  readonly caller: string;
  /** In Dapr's API, e.g. `/publish/pubsub/x`. */
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Invocation {
  readonly caller: string;
  readonly callee: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A call of the caller's sidecar, as its own app would make it. */
async function callSidecar({ caller, path, method = 'GET', headers = {}, body = '{}' }: Call) {
  const { apps, daprApiToken } = stack().endpoints;
  const port = apps[caller]?.[0]?.sidecarHttpPort;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'dapr-api-token': daprApiToken, 'content-type': 'application/json', ...headers },
    body: method === 'POST' ? body : null,
    signal: AbortSignal.timeout(SIDECAR_TIMEOUT_MS),
  });
  return { status: response.status, text: await response.text() };
}

async function invoke({ callee, path, ...call }: Invocation) {
  const answer = await callSidecar({ ...call, path: `/v1.0/invoke/${callee}/method${path}` });
  return { ...answer, isOfSidecar: answer.text.includes('ERR_DIRECT_INVOKE') };
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

  test('is not known to this test only by its name: every app of the stack is in the lists', () => {
    for (const list of [ALLOWED, COMPONENTS, SECRETS]) {
      expect(Object.keys(list)).toEqual(expect.arrayContaining(running()));
    }
  });

  test('answers its own sidecar only', async () => {
    const { endpoints, secrets } = stack();
    const tokens = ['wrong', endpoints.daprApiToken, secrets['scrape-token']!.token!];
    for (const app of Object.values(endpoints.apps).flat()) {
      if (app.name === 'gateway') continue;
      for (const headers of [{}, ...tokens.map((token) => ({ 'dapr-api-token': token }))]) {
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

describe('a service that somebody else has taken over', () => {
  const UNKNOWN_TOPIC = 'made.up';
  const topics = [...Object.keys(TOPICS), UNKNOWN_TOPIC];
  const attempts = () => running().flatMap((caller) => topics.map((topic) => ({ caller, topic })));
  const hasBroker = (appId: string) => COMPONENTS[appId]!.includes('pubsub');
  const nameOf = ({ caller, topic }: { caller: string; topic: string }) => `${caller}: ${topic}`;

  test('has the components of its own work and no others', async () => {
    for (const caller of running()) {
      const { components } = JSON.parse((await callSidecar({ caller, path: '/v1.0/metadata' })).text);
      const names = components.map(({ name }: { name: string }) => name).sort();
      expect([caller, names]).toEqual([caller, [...COMPONENTS[caller]!, 'secrets'].sort()]);
    }
  });

  test('publishes nothing in the name of another', async () => {
    const foreign = attempts().filter(({ caller, topic }) => TOPICS[topic]?.publisher !== caller);
    for (const { caller, topic } of foreign) {
      const { status, text } = await callSidecar({ caller, path: `/v1.0/publish/pubsub/${topic}`, method: 'POST' });
      const [code, reason] = hasBroker(caller) ? [403, 'ERR_PUBSUB_FORBIDDEN'] : [404, 'ERR_PUBSUB_NOT_FOUND'];
      expect([caller, topic, status, text]).toEqual([caller, topic, code, expect.stringContaining(reason)]);
    }
  });

  test('publishes what is its own: no events at once are enough to be let through', async () => {
    const allowed: string[] = [];
    for (const attempt of attempts()) {
      const path = `/v1.0-alpha1/publish/bulk/pubsub/${attempt.topic}`;
      const { status } = await callSidecar({ caller: attempt.caller, path, method: 'POST', body: '[]' });
      if (status < 400) allowed.push(nameOf(attempt));
    }
    const own = Object.entries(TOPICS).map(([topic, { publisher }]) => nameOf({ caller: publisher, topic }));
    expect(allowed.sort()).toEqual(own.sort());
  });

  test('reads the events of its own work and no others', async () => {
    const isReader = ({ caller, topic }: { caller: string; topic: string }) => TOPICS[topic]?.readers.includes(caller);
    for (const caller of running()) {
      const { subscriptions = [] } = JSON.parse((await callSidecar({ caller, path: '/v1.0/metadata' })).text);
      const read = subscriptions.map(({ topic }: { topic: string }) => topic);
      const own = topics.filter((topic) => isReader({ caller, topic }));
      expect([caller, read.sort()]).toEqual([caller, own.sort()]);
    }
    const foreign = attempts().filter((attempt) => !isReader(attempt));
    const answers = await Promise.all(foreign.map((attempt) => subscribe(attempt)));
    const refused = foreign.map(({ caller, topic }) =>
      hasBroker(caller)
        ? `subscription to topic '${topic}' on pubsub 'pubsub' is not allowed`
        : 'pubsub pubsub is not found',
    );
    expect(answers).toEqual(refused.map((refusal) => expect.stringContaining(refusal)));
  });

  test('calls no actor of another', async () => {
    for (const caller of running().filter((appId) => appId !== 'batch')) {
      const path = '/v1.0/actors/CoordinatorActor/daily/method/wake';
      const { status, text } = await callSidecar({ caller, path, method: 'POST', body: '[null]' });
      expect([caller, status, text]).toEqual([caller, 400, expect.stringContaining('ERR_ACTOR_NO_PLACEMENT')]);
    }
  });

  test('reads no secret of another', async () => {
    const names = Object.keys(stack().secrets);
    expect(names.length).toBeGreaterThan(15);
    for (const caller of running()) {
      const own = SECRETS[caller]!;
      for (const name of names) {
        const { status } = await callSidecar({ caller, path: `/v1.0/secrets/secrets/${name}` });
        expect([caller, name, status]).toEqual([caller, name, own.includes(name) ? 200 : 403]);
      }
      const all = JSON.parse((await callSidecar({ caller, path: '/v1.0/secrets/secrets/bulk' })).text);
      expect([caller, Object.keys(all).sort()]).toEqual([caller, [...own].sort()]);
    }
  });

  /** Asks for the events of a topic in the way that needs no app. @returns why the sidecar refuses, or `subscribed` */
  async function subscribe({ caller, topic }: { caller: string; topic: string }): Promise<string> {
    const { apps, daprApiToken } = stack().endpoints;
    const daprPort = String(apps[caller]![0]!.sidecarGrpcPort);
    const client = new grpc.default({
      daprHost: '127.0.0.1',
      daprPort,
      daprApiToken,
      logger: { level: LogLevel.Warn },
    });
    const api = await client.getClient(false);
    const value = { pubsubName: 'pubsub', topic };
    async function* request() {
      yield { subscribeTopicEventsRequestType: { case: 'initialRequest' as const, value } };
    }
    try {
      for await (const _answer of api.subscribeTopicEventsAlpha1(request(), { timeoutMs: SIDECAR_TIMEOUT_MS })) break;
      return 'subscribed';
    } catch (error) {
      return String(error);
    } finally {
      await client.stop();
    }
  }
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
