import { randomBytes } from 'node:crypto';
import { hashToken, signAccessToken } from '#lib/auth';
import type { Queryable } from '#lib/database';
import { insertRefreshToken } from '../repositories/session-repository.js';
import type { UserRow } from '../repositories/user-repository.js';
import { type Context, rolesOf } from './context.js';

/** As the API shows them. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  /** Seconds. */
  readonly expiresIn: number;
}

const SECRET_BYTES = 32;

/** A random token that only its owner has: we store its hash. */
export function randomToken(prefix: string): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url');
}

/** Gives a session its next access and refresh token, within the caller's transaction. */
export async function issueTokens(
  context: Context,
  tx: Queryable,
  { user, sessionId }: { user: Pick<UserRow, 'userId' | 'isOperator'>; sessionId: string },
): Promise<Tokens> {
  const { USER_ACCESS_TOKEN_SECONDS: expiresIn, USER_REFRESH_TOKEN_SECONDS: refreshSeconds } = context.config;
  const refreshToken = randomToken('pbr_');
  const expiresAtMs = context.now() + refreshSeconds * 1_000;
  await insertRefreshToken(tx, { tokenHash: hashToken(refreshToken), sessionId, expiresAtMs });
  const subject = { kind: 'user', userId: user.userId, roles: rolesOf(user), sessionId } as const;
  const accessToken = await signAccessToken(subject, await context.keys.signingKey(), expiresIn);
  return { accessToken, refreshToken, tokenType: 'Bearer', expiresIn };
}
