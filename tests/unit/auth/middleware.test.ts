import express, { type RequestHandler } from 'express';
import request from 'supertest';
import { nameOf, optionalUser, principalOf, requireOperator, requireScope, requireUser, viewerOf } from '#lib/auth';
import { answerErrors, notFound } from '#lib/http';
import { createLogger } from '#lib/logging';
import { createTestIssuer, type TestIssuer } from '../../support/identity.js';

const DEVICE = '0198c0de-0000-7000-8000-00000000ABCD';
const logger = createLogger({ service: 'test', replica: 'test', level: 'error' });

let issuer: TestIssuer;
let tokens: Record<'user' | 'operator' | 'ingest' | 'expired', string>;

function appWith(guard: RequestHandler) {
  const app = express();
  app.get('/who', guard, (_req, res) => void res.json({ name: nameOf(principalOf(res)) }));
  app.get('/viewer', guard, (req, res) => void res.json({ viewer: viewerOf(req, res) }));
  app.use(
    notFound,
    answerErrors(logger, () => undefined),
  );
  return app;
}

beforeAll(async () => {
  issuer = await createTestIssuer();
  tokens = {
    user: await issuer.userToken({ userId: '7' }),
    operator: await issuer.userToken({ userId: '8', roles: ['creator', 'operator'] }),
    ingest: issuer.clientToken({ clientId: 'player', scopes: ['ingest'] }),
    expired: await issuer.forge({}, { sub: 'u:7', sid: 's', iss: 'playbill', aud: 'playbill', iat: 1, exp: 2 }),
  };
});

const GUARDS = {
  optional: () => optionalUser(issuer.verifier),
  user: () => requireUser(issuer.verifier),
  operator: () => requireOperator(issuer.verifier),
  ingest: () => requireScope(issuer.verifier, 'ingest'),
};

describe('who is let in', () => {
  test.each([
    ['optional', undefined, 200],
    ['optional', 'user', 200],
    ['optional', 'expired', 401],
    ['user', undefined, 401],
    ['user', 'user', 200],
    ['user', 'operator', 200],
    ['user', 'ingest', 403],
    ['user', 'expired', 401],
    ['operator', undefined, 401],
    ['operator', 'user', 403],
    ['operator', 'operator', 200],
    ['operator', 'ingest', 403],
    ['ingest', undefined, 401],
    ['ingest', 'user', 403],
    ['ingest', 'operator', 403],
    ['ingest', 'ingest', 200],
  ] as const)('%s, with the token %s: %i', async (guard, token, status) => {
    const call = request(appWith(GUARDS[guard]())).get('/who');
    const { status: actual, headers } = await (token === undefined
      ? call
      : call.set('authorization', `Bearer ${tokens[token]}`));
    expect(actual).toBe(status);
    if (status !== 200) expect(headers['content-type']).toContain('application/problem+json');
    if (status === 401) expect(headers['www-authenticate']).toBe('Bearer');
  });

  test.each(['Basic dTpw', 'Bearer', 'Bearer ', 'Bearer a b', 'token'])('not by the header %j', async (header) => {
    const { status, body } = await request(appWith(GUARDS.optional())).get('/who').set('authorization', header);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('who watches', () => {
  const ask = () => request(appWith(GUARDS.optional())).get('/viewer');

  test('is the signed-in user, whatever device is named', async () => {
    const call = ask().set('authorization', `Bearer ${tokens.user}`).set('x-device-uuid', DEVICE);
    expect((await call).body).toEqual({ viewer: 'u:7' });
  });

  test('is the device, in lower case', async () => {
    expect((await ask().set('x-device-uuid', DEVICE)).body).toEqual({ viewer: `d:${DEVICE.toLowerCase()}` });
  });

  test('is nobody without both', async () => {
    expect((await ask()).body).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  test('is no device that is no UUID', async () => {
    const { body } = await ask().set('x-device-uuid', 'u:7');
    expect(body).toMatchObject({ status: 422, code: 'INVALID', errors: [{ field: 'X-Device-UUID' }] });
  });

  test('is no client', async () => {
    const { status } = await ask().set('authorization', `Bearer ${tokens.ingest}`).set('x-device-uuid', DEVICE);
    expect(status).toBe(403);
  });
});
