import { randomInt } from 'node:crypto';
import { Problem } from '#lib/http';
import { USER_ID_RANDOM_MAX, userIdOf } from '../domain/user-id.js';
import { insertUser, type UserRow } from '../repositories/user-repository.js';
import type { Context } from './context.js';

export interface NewAccount {
  /** In its normal form. */
  readonly email: string;
  readonly password: string;
  readonly isOperator?: boolean;
}

/** Makes an account. @throws Problem EMAIL_TAKEN */
export async function signUp(context: Context, { email, password, isOperator = false }: NewAccount): Promise<UserRow> {
  const passwordHash = await context.passwords.hash(password);
  for (;;) {
    const nowMs = context.now();
    const user = { userId: userIdOf(nowMs, randomInt(USER_ID_RANDOM_MAX)), email, passwordHash, isOperator };
    const outcome = await insertUser(context.database.primary, user, nowMs);
    if (outcome === 'stored') return user;
    if (outcome === 'email') throw new Problem('EMAIL_TAKEN', { detail: 'This email address has an account.' });
  }
}
