import { fromDatetime, type Queryable, toDatetime } from '#lib/database';

export interface LoginFailures {
  readonly failures: number;
  readonly windowEndsAtMs: number;
}

/** The failures of an account's window, by the primary key; none when it has ended. */
export async function readLoginFailures(
  db: Queryable,
  accountHash: string,
  nowMs: number,
): Promise<LoginFailures | undefined> {
  const [row] = await db.query(
    'SELECT failures, window_ends_at FROM playbill_user.login_failure WHERE account_hash = ? AND window_ends_at > ?',
    [accountHash, toDatetime(nowMs)],
  );
  return row && { failures: Number(row.failures), windowEndsAtMs: fromDatetime(row.window_ends_at) };
}

/** Counts one more; the first after a window has ended begins another. */
export async function addLoginFailure(
  db: Queryable,
  failure: { accountHash: string; windowMs: number },
  nowMs: number,
): Promise<void> {
  const now = toDatetime(nowMs);
  const end = toDatetime(nowMs + failure.windowMs);
  await db.query(
    `INSERT INTO playbill_user.login_failure (account_hash, failures, window_ends_at) VALUES (?, 1, ?)
     ON DUPLICATE KEY UPDATE failures = IF(window_ends_at > ?, failures + 1, 1),
       window_ends_at = IF(window_ends_at > ?, window_ends_at, ?)`,
    [failure.accountHash, end, now, now, end],
  );
}

export async function clearLoginFailures(db: Queryable, accountHash: string): Promise<void> {
  await db.query('DELETE FROM playbill_user.login_failure WHERE account_hash = ?', [accountHash]);
}
