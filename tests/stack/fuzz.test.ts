import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ROUTES, type Route } from '#lib/contract';
import { forgetEverything } from './support/batch.js';
import { callGateway, gatewayUrl, logIn, signUp } from './support/gateway.js';
import { userClient } from './support/identity.js';
import { bodyOf, type Schema, textOf, type Values } from './support/openapi-arbitrary.js';
import { stack } from './support/stack.js';

const RUNS_PER_CALL = Number(process.env.PLAYBILL_FUZZ_RUNS ?? 25);
const SEED = Number(process.env.PLAYBILL_FUZZ_SEED ?? 20261125);
const CALL_TIMEOUT_MS = 30_000;
/** Of each kind of caller several, so that the limits of one do not hide the answers. */
const CALLERS = 4;
const DEVICE = '0198c0de-0000-7000-8000-00000000f022';

interface Operation {
  readonly route: Route;
  readonly parameters: readonly { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Schema }[];
  readonly body: Schema | undefined;
  readonly statuses: readonly string[];
}

interface Sent {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

let tokens: Record<'user' | 'operator' | 'ingest', string[]>;
let values: Values;
let document: Schema;

beforeAll(async () => {
  document = (await callGateway('/openapi.json')).body;
  const users = await Promise.all(Array.from({ length: CALLERS }, signUp));
  const operators = Array.from({ length: CALLERS }, async () => {
    const account = { email: `${randomUUID()}@example.com`, password: 'an operator of this' };
    await userClient().addOperator(account);
    return (await logIn(account)).accessToken;
  });
  const clients = Array.from({ length: CALLERS }, async (_none, index) => {
    const clientId = `fuzz-${index}-${Date.now()}`;
    return (await userClient().addClient({ clientId, scopes: ['ingest'] })).token;
  });
  tokens = {
    user: users.map(({ accessToken }) => accessToken),
    operator: await Promise.all(operators),
    ingest: await Promise.all(clients),
  };
  const video = await callGateway('/v1/video', {
    token: tokens.user[0]!,
    body: { title: '한글 👋', lengthSeconds: 600 },
  });
  values = { days: DAYS, ids: [video.body.videoId, users[0]!.userId] };
}, 60_000);

afterAll(forgetEverything);

/** Few, so that what an operator may start stays small. */
const DAYS = ['2026-10-01', '2026-10-02', '2026-10-03', '2026-02-30', '2099-01-01', '1970-01-01', '2026-1-1', 'today'];

function operationOf(route: Route): Operation {
  const { parameters = [], requestBody, responses } = document.paths[route.path][route.method];
  return {
    route,
    parameters,
    body: requestBody?.content['application/json'].schema,
    statuses: Object.keys(responses),
  };
}

/** Requests of an operation: mostly by one who may make it. */
function requestsOf({ route, parameters, body }: Operation): fc.Arbitrary<Sent> {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const query = fc.record(Object.fromEntries(inQuery.map(({ name, schema }) => [name, textOf(schema, values)])), {
    requiredKeys: [],
  });
  const path = fc.record(Object.fromEntries(inPath.map(({ name, schema }) => [name, textOf(schema, values)])));
  const sent = body === undefined ? fc.constant(undefined) : bodyOf(body, values);
  const device = fc.constantFrom(DEVICE, DEVICE, DEVICE, undefined, 'nonsense');
  return fc.tuple(path, query, sent, tokenOf(route), device).map(([inPathOf, inQueryOf, content, token, deviceId]) => {
    const target = route.path.replace(
      /\{(\w+)\}/g,
      (_all, name: string) => (inPathOf as Record<string, string>)[name]!,
    );
    const search = Object.entries(inQueryOf).map(([name, value]) => `${name}=${value}`);
    return {
      path: search.length === 0 ? target : `${target}?${search.join('&')}`,
      headers: {
        ...(content === undefined || content.type === '' ? {} : { 'content-type': content.type }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(deviceId === undefined ? {} : { 'x-device-uuid': deviceId }),
      },
      body: content?.text,
    };
  });
}

function tokenOf({ auth }: Route): fc.Arbitrary<string | undefined> {
  const own = auth === 'anyone' ? [...tokens.user, undefined, undefined] : tokens[auth];
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...own) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...tokens.user, ...tokens.ingest, undefined, 'nonsense', 'pbc_x', 'a.b.c'),
    },
  );
}

/** What is wrong with the answer to a request; undefined when nothing is. */
async function faultOf({ route, statuses }: Operation, sent: Sent): Promise<string | undefined> {
  const response = await fetch(`${gatewayUrl()}${sent.path}`, {
    method: route.method.toUpperCase(),
    headers: sent.headers,
    body: sent.body ?? null,
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const { status } = response;
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  if (status >= 500) return `${status} ${text}`;
  // A hostile path may be another call's, or none's.
  const isElsewhere = status === 404 && route.path.includes('{');
  if (!statuses.includes(String(status)) && !isElsewhere) return `${status} is not in the contract: ${text}`;
  if (status >= 400) return problemFault(status, type, text);
  const { body } = route.responses[status] ?? {};
  if (body === undefined || !type.includes('application/json')) return undefined;
  const parsed = body.safeParse(JSON.parse(text));
  return parsed.success
    ? undefined
    : `${status} does not fit its schema: ${parsed.error.message} ${text.slice(0, 500)}`;
}

function problemFault(status: number, type: string, text: string): string | undefined {
  if (!type.startsWith('application/problem+json')) return `${status} as ${type}: ${text}`;
  const problem = JSON.parse(text);
  const isWhole =
    problem.status === status && typeof problem.code === 'string' && /^[0-9a-f]{32}$/.test(problem.traceId);
  return isWhole ? undefined : `not a whole problem: ${text}`;
}

const running = (route: Route) => Object.hasOwn(stack().endpoints.apps, route.appId);

test.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s answers whatever is sent as its contract says, and never 5xx',
  async (_name, route) => {
    if (!running(route)) throw new Error(`${route.appId} is not in the stack`);
    const operation = operationOf(route);
    await fc.assert(
      fc.asyncProperty(requestsOf(operation), async (sent) => {
        const fault = await faultOf(operation, sent);
        if (fault !== undefined) throw new Error(`${fault}\n${JSON.stringify(sent).slice(0, 2_000)}`);
      }),
      { numRuns: RUNS_PER_CALL, seed: SEED, endOnFailure: true },
    );
  },
  120_000,
);
