import type { KnownClient, Scope } from '#lib/auth';
import { fromDatetime, type Queryable, toDatetime } from '#lib/database';

/** All clients: dozens. A revoked one is not there. */
export async function listClients(db: Queryable): Promise<KnownClient[]> {
  const rows: Record<string, string | null>[] = await db.query(
    'SELECT client_id, token_hash, scopes, expires_at FROM playbill_user.client ORDER BY client_id',
  );
  return rows.map((row) => ({
    clientId: row.client_id!,
    tokenHash: row.token_hash!,
    scopes: row.scopes!.split(' ') as Scope[],
    expiresAt: row.expires_at == null ? null : new Date(fromDatetime(row.expires_at)).toISOString(),
  }));
}

/** @returns false when a client of this name is there already */
export async function insertClient(db: Queryable, client: KnownClient, nowMs: number): Promise<boolean> {
  const result = await db.query(
    `INSERT IGNORE INTO playbill_user.client (client_id, token_hash, scopes, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?)`,
    [
      client.clientId,
      client.tokenHash,
      client.scopes.join(' '),
      toDatetime(nowMs),
      client.expiresAt === null ? null : toDatetime(Date.parse(client.expiresAt)),
    ],
  );
  return result.affectedRows === 1;
}

/** @returns false when there is no client of this name */
export async function deleteClient(db: Queryable, clientId: string): Promise<boolean> {
  const result = await db.query('DELETE FROM playbill_user.client WHERE client_id = ?', [clientId]);
  return result.affectedRows === 1;
}
