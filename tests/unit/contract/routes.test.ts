import { expressPath, ROUTES, user } from '#lib/contract';
import { parseOrRefuse } from '#lib/http';

/** The public contract, call by call: who may make it. A change here is a change for every client. */
const CONTRACT = [
  'post /v1/user/signup anyone',
  'post /v1/user/login anyone',
  'post /v1/user/refresh anyone',
  'post /v1/user/logout user',
  'post /v1/video user',
  'get /v1/video/{videoId} anyone',
  'get /v1/video user',
  'post /v1/video/play anyone',
  'post /v1/video/stop anyone',
  'post /v1/video/stops ingest',
  'get /v1/info/top5/daily anyone',
  'get /v1/info/top5/weekly anyone',
  'get /v1/info/top5/monthly anyone',
  'get /v1/info/bill/daily user',
  'get /v1/info/bill/weekly user',
  'get /v1/info/bill/monthly user',
  'get /v1/info/bill/explain user',
  'get /v1/info/balance user',
  'get /v1/info/ledger user',
  'get /v1/info/statement/weekly user',
  'post /v1/info/bill/mail user',
  'get /v1/info/bill/mail/{mailId} user',
  'post /v1/ops/runs operator',
  'get /v1/ops/runs operator',
  'get /v1/ops/runs/{runId} operator',
  'get /v1/ops/runs/{runId}/events operator',
  'post /v1/ops/events/revoke operator',
  'get /v1/ops/reconciliation operator',
  'get /v1/ops/tariffs operator',
  'post /v1/ops/tariffs operator',
  'post /v1/ops/tariffs/preview operator',
  'post /v1/ops/statements operator',
];

test('the route table holds the public contract', () => {
  const table = ROUTES.map(({ method, path, auth }) => `${method} ${path} ${auth}`);
  expect(table).toEqual(expect.arrayContaining(CONTRACT));
  expect(new Set(table).size).toBe(table.length);
});

test('every route has an answer for when it goes well', () => {
  for (const route of ROUTES) {
    const good = Object.keys(route.responses).map(Number);
    expect(good.length).toBeGreaterThan(0);
    for (const status of good) expect(status).toBeGreaterThanOrEqual(200);
    for (const status of good) expect(status).toBeLessThan(300);
  }
});

test('a path is written as Express takes it', () => {
  expect(expressPath({ path: '/v1/ops/runs/{runId}/events' })).toBe('/v1/ops/runs/:runId/events');
});

describe('email and password', () => {
  const signup = user.signup.request.body;

  test('one mailbox is one account: case and spaces do not count', () => {
    const { email } = parseOrRefuse(signup, { email: '  Kim.MinJi@Example.COM ', password: 'longenough' });
    expect(email).toBe('kim.minji@example.com');
  });

  test.each(['', 'x', 'x@', '@x.y', 'a b@x.y', 'a@b', `${'a'.repeat(250)}@x.yz`])('%j is no email', (email) => {
    expect(() => parseOrRefuse(signup, { email, password: 'longenough' })).toThrow(/email/);
  });

  test.each([
    ['7 bytes', 'x'.repeat(7), false],
    ['8 bytes', 'x'.repeat(8), true],
    ['8 bytes of 3 characters', '가나ab', true],
    ['72 bytes', 'x'.repeat(72), true],
    ['73 bytes', 'x'.repeat(73), false],
    ['72 bytes of Hangul', '가'.repeat(24), true],
    ['75 bytes of Hangul', '가'.repeat(25), false],
  ])('a password is measured in bytes: %s', (_what, password, isGood) => {
    const parse = () => parseOrRefuse(signup, { email: 'a@example.com', password });
    if (isGood) expect(parse().password).toBe(password);
    else expect(parse).toThrow(/password/);
  });
});
