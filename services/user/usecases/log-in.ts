import { hashToken } from '#lib/auth';
import { user as contract } from '#lib/contract';
import { uuidv7 } from '#lib/dapr';
import { inTransaction } from '#lib/database';
import { Problem } from '#lib/http';
import { addLoginFailure, clearLoginFailures, readLoginFailures } from '../repositories/login-failure-repository.js';
import { insertSession } from '../repositories/session-repository.js';
import { findUserByEmail, type UserRow } from '../repositories/user-repository.js';
import type { Context } from './context.js';
import { issueTokens, type Tokens } from './issue-tokens.js';

const turns = new Map<string, Promise<unknown>>();

/**
 * Begins a session. An account that does not exist is answered as a wrong password is: the same words, after the same
 * work, and it is throttled alike.
 * @throws Problem LOGIN_FAILED, or TOO_MANY_REQUESTS after too many failures for one email
 */
export async function logIn(context: Context, given: { email: string; password: string }): Promise<Tokens> {
  const credentials = contract.credentials.safeParse(given);
  const email = credentials.data?.email ?? given.email.trim().toLowerCase();
  const accountHash = hashToken(email);
  // One at a time for an account: a burst of guesses is counted one by one.
  const user = await inTurn(accountHash, () =>
    checkPassword(context, { email, password: given.password, accountHash, isPossible: credentials.success }),
  );
  const sessionId = uuidv7();
  const nowMs = context.now();
  return inTransaction(context.database.primary, async (tx) => {
    const expiresAtMs = nowMs + context.config.USER_REFRESH_TOKEN_SECONDS * 1_000;
    await insertSession(tx, { sessionId, userId: user.userId, expiresAtMs }, nowMs);
    return issueTokens(context, tx, { user, sessionId });
  });
}

interface Guess {
  readonly email: string;
  readonly password: string;
  readonly accountHash: string;
  /** Whether an account could have this email and password. */
  readonly isPossible: boolean;
}

async function checkPassword(context: Context, guess: Guess): Promise<UserRow> {
  const { database, config, passwords, now } = context;
  const { accountHash } = guess;
  const before = await readLoginFailures(database.primary, accountHash, now());
  if (before !== undefined && before.failures >= config.USER_LOGIN_FAILURES_MAX) {
    const retryAfterSeconds = Math.max(1, Math.ceil((before.windowEndsAtMs - now()) / 1_000));
    throw new Problem('TOO_MANY_REQUESTS', { detail: 'Too many failed logins for this account.', retryAfterSeconds });
  }
  const user = await findUserByEmail(database.primary, guess.email);
  const isRight = await passwords.verify(user?.passwordHash ?? null, guess.password);
  if (user === undefined || !isRight || !guess.isPossible) {
    await addLoginFailure(database.primary, { accountHash, windowMs: config.USER_LOGIN_WINDOW_SECONDS * 1_000 }, now());
    throw new Problem('LOGIN_FAILED', { detail: 'Email or password is wrong.' });
  }
  if (before !== undefined) await clearLoginFailures(database.primary, accountHash);
  return user;
}

/** Runs `work` when what was begun before for the same key has ended. */
async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve();
  const turn = before.then(work, work);
  turns.set(key, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}
