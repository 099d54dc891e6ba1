import { createHmac, createPublicKey } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { createVerifier, type KeySet, signAccessToken } from '#lib/auth';
import { createTestIssuer, type TestIssuer } from '../../support/identity.js';

const NOW_SECONDS = Math.floor(Date.now() / 1_000);
const CLAIMS = { iss: 'playbill', aud: 'playbill', sub: 'u:7', sid: 's', roles: ['creator'], iat: NOW_SECONDS };
const VALID = { ...CLAIMS, exp: NOW_SECONDS + 60 };

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await createTestIssuer();
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const refused = (detail: RegExp = /not valid/) =>
  expect.objectContaining({ code: 'UNAUTHENTICATED', options: { detail: expect.stringMatching(detail) } });

describe('an access token', () => {
  test('proves the user, the roles and the session', async () => {
    const token = await issuer.userToken({ userId: '7', roles: ['creator', 'operator'] });
    expect(await issuer.verifier.verify(token)).toEqual({
      kind: 'user',
      userId: 7n,
      roles: ['creator', 'operator'],
      sessionId: 'session',
    });
  });

  test('of the command line proves a client', async () => {
    const subject = { kind: 'client', clientId: 'ops', scopes: ['operator'] } as const;
    const token = await signAccessToken(subject, issuer.key, 60);
    expect(await issuer.verifier.verify(token)).toEqual(subject);
  });

  test.each([
    ['of another issuer', {}, { ...VALID, iss: 'else' }],
    ['for another audience', {}, { ...VALID, aud: 'else' }],
    ['of another kind of JWT', { typ: 'JWT' }, VALID],
    ['of an unknown key', { kid: 'else' }, VALID],
    ['without an end', {}, CLAIMS],
    ['without a subject', {}, { ...VALID, sub: undefined }],
    ['with a subject that is no id', {}, { ...VALID, sub: 'u:0' }],
    ['of a user without a session', {}, { ...VALID, sid: undefined }],
    ['that is not valid yet', {}, { ...VALID, nbf: NOW_SECONDS + 600 }],
  ])('%s is refused', async (_what, header, claims) => {
    await expect(issuer.verifier.verify(await issuer.forge(header, claims))).rejects.toEqual(refused());
  });

  test('that has expired is refused, and told so', async () => {
    const token = await issuer.forge({}, { ...CLAIMS, exp: NOW_SECONDS - 60 });
    await expect(issuer.verifier.verify(token)).rejects.toEqual(refused(/expired/));
  });

  test('that expires while its proof is remembered is refused', async () => {
    let nowMs = Date.now();
    const verifier = createVerifier({ loadKeys: async () => issuer.keys(), now: () => nowMs });
    const token = await issuer.userToken({ userId: '7', lifetimeSeconds: 60 });
    await verifier.verify(token);
    nowMs += 70_000;
    await expect(verifier.verify(token)).rejects.toEqual(refused(/expired/));
  });

  test('without a signature (alg none) is refused', async () => {
    const token = `${encode({ alg: 'none', kid: 'test-key', typ: 'at+jwt' })}.${encode(VALID)}.`;
    await expect(issuer.verifier.verify(token)).rejects.toEqual(refused());
  });

  test('signed with the public key as a shared secret (HS256) is refused', async () => {
    const jwk = issuer.keys().keys[0]!;
    const pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    for (const secret of [pem, JSON.stringify(jwk), Buffer.from(jwk.x, 'base64url')]) {
      const body = `${encode({ alg: 'HS256', kid: 'test-key', typ: 'at+jwt' })}.${encode(VALID)}`;
      const token = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
      await expect(issuer.verifier.verify(token)).rejects.toEqual(refused());
    }
  });

  test('signed by a key of the same name is refused', async () => {
    const other = await createTestIssuer();
    await expect(issuer.verifier.verify(await other.userToken({ userId: '7' }))).rejects.toEqual(refused());
  });

  test('that was changed is refused', async () => {
    const [header, , signature] = (await issuer.userToken({ userId: '7' })).split('.');
    const token = `${header}.${encode({ ...VALID, roles: ['operator'] })}.${signature}`;
    await expect(issuer.verifier.verify(token)).rejects.toEqual(refused());
  });

  test('of any form that is none is refused', async () => {
    for (const token of ['', 'x', 'a.b.c', 'pbr_refresh', 'x'.repeat(5_000)]) {
      await expect(issuer.verifier.verify(token)).rejects.toEqual(refused(/not valid|too long/));
    }
  });
});

describe('a client token', () => {
  test('proves the client and its scopes', async () => {
    const token = issuer.clientToken({ clientId: 'player', scopes: ['ingest'] });
    expect(await issuer.verifier.verify(token)).toEqual({ kind: 'client', clientId: 'player', scopes: ['ingest'] });
  });

  test('that has expired is refused', async () => {
    const token = issuer.clientToken({ clientId: 'old', scopes: ['ingest'], expiresAt: '2020-01-01T00:00:00Z' });
    await expect(issuer.verifier.verify(token)).rejects.toEqual(refused(/expired/));
  });

  test('that nobody has made is refused', async () => {
    await expect(issuer.verifier.verify('pbc_unknown')).rejects.toEqual(refused());
  });
});

describe('the keys', () => {
  const clock = () => {
    const state = { nowMs: Date.now(), loads: 0, fails: false, set: issuer.keys() as KeySet };
    const verifier = createVerifier({
      now: () => state.nowMs,
      async loadKeys() {
        state.loads += 1;
        if (state.fails) throw new Error('down');
        return state.set;
      },
    });
    return { state, verifier };
  };

  test('are got once for many tokens', async () => {
    const { state, verifier } = clock();
    const tokens = await Promise.all(['1', '2', '3'].map((userId) => issuer.userToken({ userId })));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(state.loads).toBe(1);
  });

  test('are kept while the user service is away', async () => {
    const { state, verifier } = clock();
    const token = await issuer.userToken({ userId: '1', lifetimeSeconds: 7_200 });
    await verifier.verify(token);
    state.fails = true;
    state.nowMs += 3_600_000;
    expect(await verifier.verify(token)).toMatchObject({ userId: 1n });
    expect(state.loads).toBeGreaterThan(1);
  });

  test('that were never got are an outage, not a wrong token', async () => {
    const { state, verifier } = clock();
    state.fails = true;
    await expect(verifier.verify(await issuer.userToken({ userId: '1' }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      options: { retryAfterSeconds: 1 },
    });
  });

  test('are waited for a moment, since the user service may be starting as well', async () => {
    const { state, verifier } = clock();
    const token = await issuer.userToken({ userId: '1' });
    state.fails = true;
    const asked = verifier.verify(token);
    await new Promise((resolve) => setImmediate(resolve));
    expect(state.loads).toBe(1);
    state.fails = false;
    state.nowMs += 1_000;
    expect(await asked).toMatchObject({ userId: 1n });
  });

  test('are got again for a token by a new key, for all who ask together', async () => {
    const { state, verifier } = clock();
    await verifier.verify(await issuer.userToken({ userId: '1' }));
    const next = await createTestIssuer('next-key');
    state.set = { ...state.set, keys: [...state.set.keys, ...next.keys().keys] };
    const tokens = await Promise.all(['1', '2', '3'].map((userId) => next.userToken({ userId })));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(state.loads).toBe(2);
  });

  test('that were removed are worth nothing, for tokens that were proven before too', async () => {
    const { state, verifier } = clock();
    const token = await issuer.userToken({ userId: '1', lifetimeSeconds: 7_200 });
    await verifier.verify(token);
    state.set = { keys: [], clients: [] };
    state.nowMs += 20_000;
    await verifier.verify(token);
    await new Promise((resolve) => setImmediate(resolve));
    state.nowMs += 1_000;
    await expect(verifier.verify(token)).rejects.toEqual(refused());
  });

  test('of a client that was revoked while nobody called are not believed', async () => {
    const { state, verifier } = clock();
    const token = issuer.clientToken({ clientId: 'revoked', scopes: ['ingest'] });
    state.set = issuer.keys();
    expect(await verifier.verify(token)).toMatchObject({ clientId: 'revoked' });
    state.set = { ...state.set, clients: [] };
    state.nowMs += 3_600_000;
    await expect(verifier.verify(token)).rejects.toEqual(refused());
  });

  test('of another type than the algorithm needs verify nothing', async () => {
    const rsa = await exportJWK((await generateKeyPair('RS256')).publicKey);
    const set = { keys: [{ ...rsa, kid: 'test-key' } as never], clients: [] };
    const verifier = createVerifier({ loadKeys: async () => set });
    await expect(verifier.verify(await issuer.userToken({ userId: '1' }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});
