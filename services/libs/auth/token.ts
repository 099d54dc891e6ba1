import { createHash } from 'node:crypto';
import { type CryptoKey, type JWTPayload, type JWTVerifyResult, jwtVerify, SignJWT } from 'jose';
import { parseUserId } from '#domain';
import { type Principal, ROLES, type Role, SCOPES, type Scope } from './principal.js';

/** One algorithm, fixed here: what a token says of itself is never what decides how it is checked. */
export const ALGORITHM = 'ES256';
const ISSUER = 'playbill';
const AUDIENCE = 'playbill';
/** RFC 9068: no other kind of JWT passes for an access token. */
const TYPE = 'at+jwt';
const CLOCK_TOLERANCE_SECONDS = 5;

export interface SigningKey {
  /** Its name in the JWKS. */
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** Who a token is for. */
export type Subject = Exclude<Principal, { kind: 'anonymous' }>;

/**
 * Signs an access token. Only the user service has a key to do it with.
 * @param lifetimeSeconds how long it is valid from now on
 */
export function signAccessToken(subject: Subject, key: SigningKey, lifetimeSeconds: number): Promise<string> {
  const claims =
    subject.kind === 'user'
      ? { sub: `u:${subject.userId}`, roles: subject.roles, sid: subject.sessionId }
      : { sub: `c:${subject.clientId}`, scope: subject.scopes.join(' ') };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(`${lifetimeSeconds}s`)
    .sign(key.privateKey);
}

/** What a valid access token proves, and until when (ms). */
export interface Proof {
  readonly principal: Principal;
  readonly kid: string;
  readonly expiresAtMs: number;
}

/**
 * Checks signature, algorithm, kind, issuer, audience and time of an access token.
 * @param findKey gives the key of a `kid`; undefined refuses the token
 * @throws when any of it is wrong
 */
export async function verifyAccessToken(
  token: string,
  { findKey, nowMs }: { findKey: (kid: string) => Promise<CryptoKey | undefined>; nowMs: number },
): Promise<Proof> {
  const result = await jwtVerify(
    token,
    async ({ kid }) => {
      const key = kid === undefined ? undefined : await findKey(kid);
      if (key === undefined) throw new Error('signed by an unknown key');
      return key;
    },
    {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: TYPE,
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'exp', 'iat'],
    },
  );
  return proofOf(result);
}

function proofOf({ payload, protectedHeader }: JWTVerifyResult): Proof {
  return {
    principal: principalOfClaims(payload),
    kid: protectedHeader.kid!,
    expiresAtMs: (payload.exp! + CLOCK_TOLERANCE_SECONDS) * 1_000,
  };
}

function principalOfClaims({ sub = '', roles, sid, scope }: JWTPayload): Principal {
  if (sub.startsWith('c:')) {
    const known = String(scope ?? '').split(' ');
    return {
      kind: 'client',
      clientId: sub.slice(2),
      scopes: SCOPES.filter((name): name is Scope => known.includes(name)),
    };
  }
  if (!sub.startsWith('u:') || typeof sid !== 'string') throw new Error('neither a user nor a client');
  const known: readonly unknown[] = Array.isArray(roles) ? roles : [];
  return {
    kind: 'user',
    userId: parseUserId(sub.slice(2)),
    roles: ROLES.filter((name): name is Role => known.includes(name)),
    sessionId: sid,
  };
}

/** Client tokens are random, not signed: they live for long, and what is removed from the list is worth nothing. */
export const CLIENT_TOKEN_PREFIX = 'pbc_';

/** The form in which a secret token is stored and compared: SHA-256 in hexadecimal. The token itself has 256 bits. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
