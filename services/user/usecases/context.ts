import type { Role } from '#lib/auth';
import type { Database } from '#lib/database';
import type { Logger } from '#lib/logging';
import type { Config } from '../config.js';
import type { KeyRing } from './key-ring.js';

/** Hashes passwords, slowly by intent. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** @param hash null for an account that does not exist: takes as long, and gives false */
  verify(hash: string | null, password: string): Promise<boolean>;
}

/** What every use case works with. Everything here is read from the primary: who signs up can sign in at once. */
export interface Context {
  readonly config: Config;
  readonly database: Pick<Database, 'primary'>;
  readonly logger: Logger;
  readonly passwords: Passwords;
  readonly keys: KeyRing;
  readonly now: () => number;
}

/** The roles of an account. */
export function rolesOf({ isOperator }: { isOperator: boolean }): Role[] {
  return isOperator ? ['creator', 'operator'] : ['creator'];
}
