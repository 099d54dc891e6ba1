import { randomUUID } from 'node:crypto';
import type { Express } from 'express';
import request from 'supertest';
import { createVerifier } from '#lib/auth';
import { connectDatabase, type Database } from '#lib/database';
import { createLogger } from '#lib/logging';
import { credentialsOf } from '../../deploy/local/stack/index.js';
import { createPasswords } from '../../services/user/adapters/argon2.js';
import { createCipher } from '../../services/user/adapters/key-cipher.js';
import { createApp } from '../../services/user/app.js';
import { type Config, configSchema } from '../../services/user/config.js';
import { describeKeys } from '../../services/user/usecases/administer.js';
import type { Context } from '../../services/user/usecases/context.js';
import { KeyRing } from '../../services/user/usecases/key-ring.js';
import { stack } from './support/stack.js';

const APP_TOKEN = 'app-token-of-these-tests';
const OPS_KEY = 'ops-key-of-these-tests';
const PASSWORD = 'correct horse battery';
const FAILURES_MAX = 3;
const WINDOW_MS = 900_000;

let database: Database;
let app: Express;
let context: Context;
/** The app's clock is ahead by it. */
let aheadMs = 0;

const config: Config = configSchema.parse({
  APP_PORT: '5084',
  APP_API_TOKEN: APP_TOKEN,
  DAPR_HTTP_PORT: '3584',
  DAPR_API_TOKEN: 'dapr-token-of-these-tests',
  PLAYBILL_REPLICA: 'user-test',
  PLAYBILL_DB_PRIMARY: 'unused:1',
  USER_LOGIN_FAILURES_MAX: String(FAILURES_MAX),
  USER_LOGIN_WINDOW_SECONDS: String(WINDOW_MS / 1_000),
});
const logger = createLogger({ service: 'user', replica: 'test', level: 'silent' });

/** The service's app in this process, with its own account on the real database. */
beforeAll(async () => {
  const { endpoints, secrets } = stack();
  database = await connectDatabase({
    primary: endpoints.primary,
    replicas: [],
    credentials: credentialsOf(secrets, 'user'),
    poolSize: 4,
  });
  const cipher = createCipher(secrets['user-key-encryption']!.token!);
  const times = { rotateAfterMs: Number.MAX_SAFE_INTEGER, announceMs: 0, retireAfterMs: Number.MAX_SAFE_INTEGER };
  const keys = new KeyRing({ db: database.primary, cipher, times, now: Date.now });
  const now = () => Date.now() + aheadMs;
  context = { config, database, logger, passwords: await createPasswords(), keys, now };
  app = createApp({ context, verifier: createVerifier({ loadKeys: () => describeKeys(context) }), opsKey: OPS_KEY });
});

afterEach(() => {
  aheadMs = 0;
});

afterAll(() => database.close());

const post = (path: string, body: object | string, token?: string) => {
  const call = request(app).post(path).set('dapr-api-token', APP_TOKEN).type('json');
  if (token !== undefined) call.set('authorization', `Bearer ${token}`);
  return call.send(body);
};
const newAccount = () => ({ email: `${randomUUID()}@example.com`, password: PASSWORD });
const login = (account: { email: string; password: string }) => post('/v1/user/login', account);
const opsToken = async () => (await post('/internal/ops/token', { key: OPS_KEY })).body.accessToken as string;

async function signedUp() {
  const account = newAccount();
  const { body } = await post('/v1/user/signup', account).expect(201);
  return { ...account, userId: body.userId as string };
}

describe('POST /v1/user/signup', () => {
  test('201', async () => {
    const account = newAccount();
    const { body } = await post('/v1/user/signup', account).expect(201);
    expect(body).toEqual({ userId: expect.stringMatching(/^[1-9]\d*$/), email: account.email });
  });

  test('409 for an email that has an account', async () => {
    const account = await signedUp();
    const { body } = await post('/v1/user/signup', { ...account, password: 'another password' }).expect(409);
    expect(body.code).toBe('EMAIL_TAKEN');
  });

  test.each([
    ['no email', { password: PASSWORD }, 'email'],
    ['an email that is none', { email: 'nobody', password: PASSWORD }, 'email'],
    ['no password', { email: 'a@example.com' }, 'password'],
    ['a password of 7 bytes', { email: 'a@example.com', password: '1234567' }, 'password'],
    ['a password of 73 bytes', { email: 'a@example.com', password: 'x'.repeat(73) }, 'password'],
  ])('422 for %s', async (_what, body, field) => {
    const answer = await post('/v1/user/signup', body).expect(422);
    expect(answer.body).toMatchObject({ code: 'INVALID', errors: [{ field }] });
  });

  test('400 for what is not JSON, 413 for too much of it', async () => {
    expect((await post('/v1/user/signup', '{').expect(400)).body.code).toBe('UNREADABLE');
    const large = JSON.stringify({ email: 'x'.repeat(20_000) });
    expect((await post('/v1/user/signup', large).expect(413)).body.code).toBe('BODY_TOO_LARGE');
  });

  test('stores no password that can be read', async () => {
    const { email } = await signedUp();
    const [row] = await database.primary.query('SELECT * FROM playbill_user.user WHERE email = ?', [email]);
    expect(row.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(row)).not.toContain(PASSWORD);
  });
});

describe('POST /v1/user/login', () => {
  test('200, never kept by a cache', async () => {
    const account = await signedUp();
    const { body, headers } = await login({ ...account, email: ` ${account.email.toUpperCase()}` }).expect(200);
    expect(body).toEqual({
      accessToken: expect.any(String),
      refreshToken: expect.stringMatching(/^pbr_/),
      tokenType: 'Bearer',
      expiresIn: 900,
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  test.each(['', 'x', 'x'.repeat(900), 'wrong password'])('401 for the wrong password %#', async (password) => {
    const account = await signedUp();
    const { body } = await login({ ...account, password }).expect(401);
    expect(body.code).toBe('LOGIN_FAILED');
  });

  test('401 takes as long, and says the same, for an unknown account as for a wrong password', async () => {
    const [wrong, unknown]: [number[], number[]] = [[], []];
    const texts = new Set<string>();
    for (let i = 0; i < 7; i += 1) {
      const known = await signedUp();
      for (const [list, account] of [
        [wrong, known],
        [unknown, newAccount()],
      ] as const) {
        const startMs = performance.now();
        const { body } = await login({ ...account, password: 'wrong password' }).expect(401);
        list.push(performance.now() - startMs);
        texts.add(JSON.stringify(body));
      }
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
    expect(texts.size).toBe(1);
    // Without the work for nobody's password it would be a tenth.
    expect(median(unknown) / median(wrong)).toBeGreaterThan(0.5);
    expect(median(unknown) / median(wrong)).toBeLessThan(2);
  });

  test.each(['an account', 'no account'])(
    '429 with Retry-After after too many failures for %s, the right password too, until the window ends',
    async (what) => {
      const account = what === 'an account' ? await signedUp() : newAccount();
      for (let i = 0; i < FAILURES_MAX; i += 1) await login({ ...account, password: 'wrong password' }).expect(401);
      const { body, headers } = await login(account).expect(429);
      expect(body.code).toBe('TOO_MANY_REQUESTS');
      expect(Number(headers['retry-after'])).toBeGreaterThan(WINDOW_MS / 1_000 - 60);
      aheadMs = WINDOW_MS;
      await login(account).expect(what === 'an account' ? 200 : 401);
    },
  );

  test('counts guesses that come at once one by one', async () => {
    const account = await signedUp();
    const guesses = Array.from({ length: 12 }, () => login({ ...account, password: 'wrong password' }));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses.filter((status) => status === 401)).toHaveLength(FAILURES_MAX);
    expect(statuses.filter((status) => status === 429)).toHaveLength(12 - FAILURES_MAX);
  });

  test('a success forgets the failures before it', async () => {
    const account = await signedUp();
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < FAILURES_MAX - 1; i += 1) await login({ ...account, password: 'wrong password' }).expect(401);
      await login(account).expect(200);
    }
  });

  test.each([[{}], [{ email: 1, password: 2 }], [{ email: 'a@example.com' }]])('422 for %j', async (body) => {
    expect((await post('/v1/user/login', body).expect(422)).body.code).toBe('INVALID');
  });
});

describe('POST /v1/user/refresh', () => {
  test('200, with the roles of now', async () => {
    const account = await signedUp();
    const { body: first } = await login(account);
    await post('/internal/ops/operators', { email: account.email, password: PASSWORD }, await opsToken()).expect(200);
    const { body: second } = await post('/v1/user/refresh', { refreshToken: first.refreshToken }).expect(200);
    const rolesIn = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).roles;
    expect(rolesIn(first.accessToken)).toEqual(['creator']);
    expect(rolesIn(second.accessToken)).toEqual(['creator', 'operator']);
  });

  test('401 for a token that has expired, is unknown, or is an access token', async () => {
    const { body: tokens } = await login(await signedUp());
    for (const refreshToken of ['pbr_unknown', '', tokens.accessToken]) {
      expect((await post('/v1/user/refresh', { refreshToken }).expect(401)).body.code).toBe('REFRESH_REFUSED');
    }
    aheadMs = 31 * 86_400_000;
    await post('/v1/user/refresh', { refreshToken: tokens.refreshToken }).expect(401);
  });

  test('422 without a token', async () => {
    await post('/v1/user/refresh', {}).expect(422);
  });

  test('stores no token that can be used', async () => {
    const { body } = await login(await signedUp());
    const rows = await database.primary.query('SELECT * FROM playbill_user.refresh_token');
    expect(JSON.stringify(rows)).not.toContain(body.refreshToken.slice(4));
  });
});

describe('POST /v1/user/logout', () => {
  test('204, and again', async () => {
    const { body } = await login(await signedUp());
    await post('/v1/user/logout', {}, body.accessToken).expect(204);
    await post('/v1/user/logout', {}, body.accessToken).expect(204);
    await post('/v1/user/refresh', { refreshToken: body.refreshToken }).expect(401);
  });

  test('401 without a token, 403 with a client’s', async () => {
    await post('/v1/user/logout', {}).expect(401);
    await post('/v1/user/logout', {}, await opsToken()).expect(403);
  });
});

describe('the calls of the command line', () => {
  test('a token for the key: 200; for another: 401; for none: 422', async () => {
    const { body } = await post('/internal/ops/token', { key: OPS_KEY }).expect(200);
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 600 });
    await post('/internal/ops/token', { key: `${OPS_KEY}x` }).expect(401);
    await post('/internal/ops/token', {}).expect(422);
  });

  test.each(['operators', 'clients', 'clients/revoke', 'keys/rotate'])(
    '%s: 401 for nobody, 403 for a user',
    async (path) => {
      const { body } = await login(await signedUp());
      await post(`/internal/ops/${path}`, {}).expect(401);
      await post(`/internal/ops/${path}`, {}, body.accessToken).expect(403);
    },
  );

  test('an operator is new, or is an account that was there and keeps its password', async () => {
    const token = await opsToken();
    const account = newAccount();
    expect((await post('/internal/ops/operators', account, token).expect(200)).body.isNew).toBe(true);
    const again = await post('/internal/ops/operators', { ...account, password: 'another password' }, token).expect(
      200,
    );
    expect(again.body.isNew).toBe(false);
    await login(account).expect(200);
    await post('/internal/ops/operators', { email: 'x', password: 'short' }, token).expect(422);
  });

  test('a client has its token once, is one of its name, and is nothing when it is revoked', async () => {
    const token = await opsToken();
    const clientId = `client-${randomUUID().slice(0, 8)}`;
    const { body } = await post('/internal/ops/clients', { clientId, scopes: ['ingest'], days: 1 }, token).expect(201);
    expect(body).toMatchObject({ clientId, scopes: ['ingest'], token: expect.stringMatching(/^pbc_.{43}$/) });
    const listed = await request(app)
      .get('/internal/ops/clients')
      .set({ 'dapr-api-token': APP_TOKEN, authorization: `Bearer ${token}` })
      .expect(200);
    expect(JSON.stringify(listed.body)).toContain(clientId);
    expect(JSON.stringify(listed.body)).not.toContain(body.token);
    expect((await post('/internal/ops/clients', { clientId, scopes: ['ingest'] }, token).expect(409)).body.code).toBe(
      'CLIENT_EXISTS',
    );
    await post('/internal/ops/clients/revoke', { clientId }, token).expect(200);
    await post('/internal/ops/clients/revoke', { clientId }, token).expect(404);
    await post('/internal/ops/clients', { clientId: 'Not A Name', scopes: ['operator'] }, token).expect(422);
  });
});

describe('the app', () => {
  test('answers its sidecar only, and unknown paths by 404', async () => {
    await request(app).get('/internal/jwks').expect(401);
    await request(app).get('/nothing').set('dapr-api-token', APP_TOKEN).expect(404);
  });

  test('gives its keys without anything secret', async () => {
    const { body } = await request(app).get('/internal/jwks').set('dapr-api-token', APP_TOKEN).expect(200);
    expect(body.keys.length).toBeGreaterThan(0);
    for (const key of body.keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  test('is 503 with Retry-After while its database is away, and 500 without a word of it for a defect', async () => {
    const failing = (error: Error) => {
      const primary = { query: () => Promise.reject(error) } as never;
      const broken = { ...context, database: { primary } };
      return createApp({
        context: broken,
        verifier: createVerifier({ loadKeys: async () => ({ keys: [], clients: [] }) }),
        opsKey: OPS_KEY,
      });
    };
    const ask = (broken: Express) =>
      request(broken).post('/v1/user/login').set('dapr-api-token', APP_TOKEN).send(newAccount());
    const away = await ask(failing(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).expect(503);
    expect(Number(away.headers['retry-after'])).toBeGreaterThan(0);
    const defect = await ask(failing(new Error('secret detail'))).expect(500);
    expect(JSON.stringify(defect.body)).not.toMatch(/secret|at .*\.ts/);
  });
});
