import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { parseUserId } from '#domain';
import {
  ALGORITHM,
  createVerifier,
  hashToken,
  type KeySet,
  type KnownClient,
  type Role,
  type Scope,
  type SigningKey,
  signAccessToken,
  type Verifier,
} from '#lib/auth';

/** Signs tokens as the user service does, with a key that only its own verifier knows. */
export interface TestIssuer {
  readonly verifier: Verifier;
  readonly key: SigningKey;
  readonly keys: () => KeySet;
  userToken(user: { userId: string; roles?: readonly Role[]; lifetimeSeconds?: number }): Promise<string>;
  /** A client's token; it is known from now on. */
  clientToken(client: { clientId: string; scopes: readonly Scope[]; expiresAt?: string }): string;
  /** A token with any header and claims, signed by this issuer's key: for forgeries. */
  forge(header: Partial<JWTHeaderParameters>, claims: Record<string, unknown>): Promise<string>;
}

/** Makes an issuer for tests of services without the user service. */
export async function createTestIssuer(kid = 'test-key'): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' } as KeySet['keys'][number];
  const clients: KnownClient[] = [];
  const keys = () => ({ keys: [jwk], clients: [...clients] });
  const key = { kid, privateKey };
  return {
    verifier: createVerifier({ loadKeys: async () => keys() }),
    key,
    keys,
    userToken: ({ userId, roles = ['creator'], lifetimeSeconds = 300 }) =>
      signAccessToken({ kind: 'user', userId: parseUserId(userId), roles, sessionId: 'session' }, key, lifetimeSeconds),
    clientToken({ clientId, scopes, expiresAt }) {
      const token = `pbc_${clientId}`;
      clients.push({ clientId, tokenHash: hashToken(token), scopes: [...scopes], expiresAt: expiresAt ?? null });
      return token;
    },
    forge: (header, claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid, typ: 'at+jwt', ...header }).sign(privateKey),
  };
}
