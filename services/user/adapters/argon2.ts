import { hash, type Options, verify } from '@node-rs/argon2';
import type { Passwords } from '../usecases/context.js';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane; `algorithm` 2 is argon2id. */
const OPTIONS: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Passwords by argon2id. */
export async function createPasswords(): Promise<Passwords> {
  const nobodys = await hash('an account that does not exist', OPTIONS);
  return {
    hash: (password) => hash(password, OPTIONS),
    async verify(stored, password) {
      const isRight = await verify(stored ?? nobodys, password);
      return isRight && stored !== null;
    },
  };
}
