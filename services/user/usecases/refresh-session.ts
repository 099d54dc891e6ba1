import { hashToken } from '#lib/auth';
import { inTransaction } from '#lib/database';
import { Problem } from '#lib/http';
import { decideRefresh } from '../domain/refresh.js';
import { lockRefreshToken, revokeSession, spendRefreshToken } from '../repositories/session-repository.js';
import { findUserById } from '../repositories/user-repository.js';
import type { Context } from './context.js';
import { issueTokens, type Tokens } from './issue-tokens.js';

/**
 * Exchanges a refresh token for new tokens, once. Roles are read anew.
 * @throws Problem REFRESH_REFUSED; a token that was spent before revokes its whole session, which is stored first
 */
export async function refreshSession(context: Context, refreshToken: string): Promise<Tokens> {
  const tokenHash = hashToken(refreshToken);
  const nowMs = context.now();
  const tokens = await inTransaction(context.database.primary, async (tx) => {
    const stored = await lockRefreshToken(tx, tokenHash);
    const decision = decideRefresh(stored, nowMs);
    if (stored === undefined || decision === 'refuse') return undefined;
    if (decision === 'revoke') {
      await revokeSession(tx, { sessionId: stored.sessionId, because: 'reuse' }, nowMs);
      context.logger.warn(
        { userId: stored.userId.toString(), sessionId: stored.sessionId },
        'a refresh token was reused',
      );
      return undefined;
    }
    await spendRefreshToken(tx, tokenHash, nowMs);
    const user = await findUserById(tx, stored.userId);
    if (user === undefined) return undefined;
    return issueTokens(context, tx, { user, sessionId: stored.sessionId });
  });
  if (tokens === undefined) throw new Problem('REFRESH_REFUSED', { detail: 'Sign in again.' });
  return tokens;
}
