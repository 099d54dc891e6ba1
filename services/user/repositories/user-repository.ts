import type { UserId } from '#domain';
import { type Queryable, toDatetime } from '#lib/database';

export interface UserRow {
  readonly userId: UserId;
  readonly email: string;
  readonly passwordHash: string;
  readonly isOperator: boolean;
}

const COLUMNS = 'user_id, email, password_hash, is_operator';

/** Stores an account. @returns what it collides with, if anything: the email, or the id by chance */
export async function insertUser(db: Queryable, user: UserRow, nowMs: number): Promise<'stored' | 'email' | 'id'> {
  try {
    await db.query(`INSERT INTO playbill_user.user (${COLUMNS}, created_at) VALUES (?, ?, ?, ?, ?)`, [
      user.userId.toString(),
      user.email,
      user.passwordHash,
      user.isOperator ? 1 : 0,
      toDatetime(nowMs),
    ]);
    return 'stored';
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    if (code !== 'ER_DUP_ENTRY') throw error;
    return message?.includes('by_email') ? 'email' : 'id';
  }
}

/** One row by the unique key `by_email`. @param email in its normal form */
export function findUserByEmail(db: Queryable, email: string): Promise<UserRow | undefined> {
  return findUser(db, 'email = ?', email);
}

/** One row by the primary key. */
export function findUserById(db: Queryable, userId: bigint): Promise<UserRow | undefined> {
  return findUser(db, 'user_id = ?', userId.toString());
}

/** The email addresses of these users; one without an account is absent. By primary key. */
export async function findEmails(
  db: Queryable,
  userIds: readonly bigint[],
): Promise<{ userId: string; email: string }[]> {
  if (userIds.length === 0) return [];
  const rows: { user_id: string; email: string }[] = await db.query(
    `SELECT user_id, email FROM playbill_user.user WHERE user_id IN (${userIds.map(() => '?').join(', ')})`,
    userIds.map(String),
  );
  return rows.map((row) => ({ userId: row.user_id, email: row.email }));
}

async function findUser(db: Queryable, condition: string, value: string): Promise<UserRow | undefined> {
  const [row] = await db.query(`SELECT ${COLUMNS} FROM playbill_user.user WHERE ${condition}`, [value]);
  if (row === undefined) return undefined;
  return {
    userId: BigInt(row.user_id) as UserId,
    email: row.email,
    passwordHash: row.password_hash,
    isOperator: Number(row.is_operator) === 1,
  };
}

export async function makeOperator(db: Queryable, userId: bigint): Promise<void> {
  await db.query('UPDATE playbill_user.user SET is_operator = 1 WHERE user_id = ?', [userId.toString()]);
}
