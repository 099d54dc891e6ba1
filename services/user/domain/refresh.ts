/** A refresh token as it is stored. Instants in ms. */
export interface StoredRefreshToken {
  readonly sessionId: string;
  readonly userId: bigint;
  readonly expiresAtMs: number;
  readonly isSpent: boolean;
  readonly isSessionRevoked: boolean;
}

export type RefreshDecision = 'accept' | 'refuse' | 'revoke';

/**
 * What to do with a refresh token. One that was spent before has been copied: whoever holds the session now may be
 * the thief, so that the whole family is revoked.
 */
export function decideRefresh(token: StoredRefreshToken | undefined, nowMs: number): RefreshDecision {
  if (token === undefined) return 'refuse';
  if (token.isSpent) return 'revoke';
  return token.isSessionRevoked || token.expiresAtMs <= nowMs ? 'refuse' : 'accept';
}
