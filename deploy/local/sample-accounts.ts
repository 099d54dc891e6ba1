import { createHmac } from 'node:crypto';
import type { OperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { createPasswords } from '../../services/user/adapters/argon2.js';

/** How a sample creator signs in. */
export interface SampleAccount {
  readonly email: string;
  readonly password: string;
}

/** The address of the sample creator with that id; `example` delivers nowhere. */
export function sampleEmail(creatorId: number | string): string {
  return `creator-${creatorId}@playbill.example`;
}

/** The sample creators' password: the same at every start of this installation, and of no other. */
export function samplePassword(opsKey: string): string {
  return createHmac('sha256', opsKey).update('sample creators').digest('base64url').slice(0, 20);
}

/**
 * Gives the sample's creators accounts, so that they can sign in and get their statements by mail. Safe to repeat:
 * accounts that are there stay as they are.
 */
export async function makeSampleAccounts(
  database: OperatorDatabase,
  { creators, opsKey }: { creators: number; opsKey: string },
): Promise<void> {
  const passwordHash = await (await createPasswords()).hash(samplePassword(opsKey));
  const ids = Array.from({ length: creators }, (_, index) => index + 1);
  await database.primary.query(
    `INSERT IGNORE INTO playbill_user.user (user_id, email, password_hash, is_operator, created_at)
     VALUES ${ids.map(() => '(?, ?, ?, 0, UTC_TIMESTAMP(3))').join(', ')}`,
    ids.flatMap((id) => [id, sampleEmail(id), passwordHash]),
  );
}
