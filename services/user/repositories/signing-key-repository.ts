import type { PublicKey } from '#lib/auth';
import { fromDatetime, type Queryable, toDatetime } from '#lib/database';

export interface SigningKeyRow {
  readonly kid: string;
  readonly publicJwk: PublicKey;
  /** The private key, encrypted. */
  readonly sealedPrivateKey: Buffer;
  readonly createdAtMs: number;
}

/** All keys: a handful. */
export async function listSigningKeys(db: Queryable): Promise<SigningKeyRow[]> {
  const rows: Record<string, string | Buffer>[] = await db.query(
    'SELECT kid, public_jwk, sealed_private_key, created_at FROM playbill_user.signing_key',
  );
  return rows.map((row) => ({
    kid: String(row.kid),
    publicJwk: JSON.parse(String(row.public_jwk)),
    sealedPrivateKey: row.sealed_private_key as Buffer,
    createdAtMs: fromDatetime(String(row.created_at)),
  }));
}

export async function insertSigningKey(db: Queryable, key: SigningKeyRow): Promise<void> {
  await db.query(
    'INSERT INTO playbill_user.signing_key (kid, public_jwk, sealed_private_key, created_at) VALUES (?, ?, ?, ?)',
    [key.kid, JSON.stringify(key.publicJwk), key.sealedPrivateKey, toDatetime(key.createdAtMs)],
  );
}

export async function deleteSigningKeys(db: Queryable, kids: readonly string[]): Promise<void> {
  if (kids.length === 0) return;
  const marks = kids.map(() => '?').join(', ');
  await db.query(`DELETE FROM playbill_user.signing_key WHERE kid IN (${marks})`, [...kids]);
}
