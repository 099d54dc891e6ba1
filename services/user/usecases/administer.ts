import { timingSafeEqual } from 'node:crypto';
import { CLIENT_TOKEN_PREFIX, hashToken, type KeySet, type Scope, signAccessToken } from '#lib/auth';
import { Problem } from '#lib/http';
import { deleteClient, insertClient, listClients } from '../repositories/client-repository.js';
import { findUserByEmail, makeOperator } from '../repositories/user-repository.js';
import type { Context } from './context.js';
import { randomToken } from './issue-tokens.js';
import { signUp } from './sign-up.js';

/** What every service verifies tokens by. */
export async function describeKeys(context: Context): Promise<KeySet> {
  const [keys, clients] = await Promise.all([context.keys.publicKeys(), listClients(context.database.primary)]);
  return { keys, clients };
}

const COMMAND_LINE_TOKEN_SECONDS = 600;

/**
 * A short-lived operator's token for the platform's own command line.
 * @param given the key that the caller shows; `opsKey` is in the secret store, for the command line and this service
 * @throws Problem UNAUTHENTICATED
 */
export async function issueCommandLineToken(context: Context, given: string, opsKey: string) {
  const isRight = timingSafeEqual(Buffer.from(hashToken(given)), Buffer.from(hashToken(opsKey)));
  if (!isRight) throw new Problem('UNAUTHENTICATED', { detail: 'The key is wrong.' });
  const subject = { kind: 'client', clientId: 'ops', scopes: ['operator'] } as const;
  const expiresIn = COMMAND_LINE_TOKEN_SECONDS;
  const accessToken = await signAccessToken(subject, await context.keys.signingKey(), expiresIn);
  return { accessToken, tokenType: 'Bearer', expiresIn };
}

/** Makes the account an operator's; its password is set only when the account is new. */
export async function addOperator(context: Context, account: { email: string; password: string }) {
  const existing = await findUserByEmail(context.database.primary, account.email);
  if (existing !== undefined) {
    await makeOperator(context.database.primary, existing.userId);
    return { userId: existing.userId.toString(), email: existing.email, isNew: false };
  }
  const user = await signUp(context, { ...account, isOperator: true });
  return { userId: user.userId.toString(), email: user.email, isNew: true };
}

export interface NewClient {
  readonly clientId: string;
  readonly scopes: readonly Scope[];
  /** Days until its token expires; never when undefined. */
  readonly days?: number | undefined;
}

/** Makes a client. Its token is in this answer only. @throws Problem CLIENT_EXISTS */
export async function addClient(context: Context, { clientId, scopes, days }: NewClient) {
  const token = randomToken(CLIENT_TOKEN_PREFIX);
  const nowMs = context.now();
  const expiresAt = days === undefined ? null : new Date(nowMs + days * 86_400_000).toISOString();
  const client = { clientId, tokenHash: hashToken(token), scopes: [...scopes], expiresAt };
  if (!(await insertClient(context.database.primary, client, nowMs))) {
    throw new Problem('CLIENT_EXISTS', {
      detail: `There is a client ${clientId}; revoke it first, or take another name.`,
    });
  }
  return { clientId, scopes, expiresAt, token };
}

/** Removes a client: its token is refused everywhere within seconds. @throws Problem NOT_FOUND */
export async function revokeClient(context: Context, clientId: string) {
  if (!(await deleteClient(context.database.primary, clientId))) {
    throw new Problem('NOT_FOUND', { detail: `There is no client ${clientId}.` });
  }
  return { clientId };
}

/** The clients, without their tokens. */
export async function describeClients(context: Context) {
  const clients = await listClients(context.database.primary);
  return { items: clients.map(({ clientId, scopes, expiresAt }) => ({ clientId, scopes, expiresAt })) };
}
