import { fromDatetime, type Queryable, toDatetime } from '#lib/database';
import type { StoredRefreshToken } from '../domain/refresh.js';

export interface NewToken {
  readonly tokenHash: string;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

export async function insertSession(
  db: Queryable,
  session: { sessionId: string; userId: bigint; expiresAtMs: number },
  nowMs: number,
): Promise<void> {
  await db.query(
    'INSERT INTO playbill_user.session (session_id, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)',
    [session.sessionId, session.userId.toString(), toDatetime(nowMs), toDatetime(session.expiresAtMs)],
  );
}

/** Stores a token, and lets its session live as long. */
export async function insertRefreshToken(db: Queryable, token: NewToken): Promise<void> {
  const expiresAt = toDatetime(token.expiresAtMs);
  await db.query('INSERT INTO playbill_user.refresh_token (token_hash, session_id, expires_at) VALUES (?, ?, ?)', [
    token.tokenHash,
    token.sessionId,
    expiresAt,
  ]);
  await db.query('UPDATE playbill_user.session SET expires_at = ? WHERE session_id = ?', [expiresAt, token.sessionId]);
}

/** One token and its session by their primary keys, both locked: a token is presented by one request at a time. */
export async function lockRefreshToken(tx: Queryable, tokenHash: string): Promise<StoredRefreshToken | undefined> {
  const [row] = await tx.query(
    `SELECT t.session_id, t.expires_at, t.spent_at, s.user_id, s.revoked_at
     FROM playbill_user.refresh_token t JOIN playbill_user.session s ON s.session_id = t.session_id
     WHERE t.token_hash = ? FOR UPDATE`,
    [tokenHash],
  );
  if (row === undefined) return undefined;
  return {
    sessionId: row.session_id,
    userId: BigInt(row.user_id),
    expiresAtMs: fromDatetime(row.expires_at),
    isSpent: row.spent_at !== null,
    isSessionRevoked: row.revoked_at !== null,
  };
}

export async function spendRefreshToken(tx: Queryable, tokenHash: string, nowMs: number): Promise<void> {
  await tx.query('UPDATE playbill_user.refresh_token SET spent_at = ? WHERE token_hash = ?', [
    toDatetime(nowMs),
    tokenHash,
  ]);
}

/** Ends a session: none of its refresh tokens is worth anything from now on. Repeating it changes nothing. */
export async function revokeSession(
  db: Queryable,
  session: { sessionId: string; because: 'logout' | 'reuse' },
  nowMs: number,
): Promise<void> {
  await db.query(
    `UPDATE playbill_user.session SET revoked_at = ?, revoked_because = ? WHERE session_id = ? AND revoked_at IS NULL`,
    [toDatetime(nowMs), session.because, session.sessionId],
  );
}

const PURGE_ROWS_MAX = 10_000;

/** Removes what has expired, a bounded number of rows at a time, by the keys `by_end`. */
export async function purgeExpired(db: Queryable, nowMs: number): Promise<void> {
  for (const [table, column] of [
    ['refresh_token', 'expires_at'],
    ['session', 'expires_at'],
    ['login_failure', 'window_ends_at'],
  ]) {
    await db.query(
      `DELETE FROM playbill_user.${table} WHERE ${column} < ? ORDER BY ${column} LIMIT ${PURGE_ROWS_MAX}`,
      [toDatetime(nowMs)],
    );
  }
}
