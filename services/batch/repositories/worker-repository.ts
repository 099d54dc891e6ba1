import type { Queryable } from '#lib/database';

/** Says that a replica lives. */
export async function beat(db: Queryable, name: string, incarnation: string): Promise<void> {
  await db.query(
    `INSERT INTO playbill_batch.worker (name, incarnation, heartbeat_at) VALUES (?, ?, UTC_TIMESTAMP(6))
     ON DUPLICATE KEY UPDATE incarnation = VALUES(incarnation), heartbeat_at = VALUES(heartbeat_at)`,
    [name, incarnation],
  );
}

/** Replicas that gave a sign of life within the time, by the primary's clock. A handful of rows. */
export async function liveWorkers(db: Queryable, withinMs: number): Promise<{ name: string; incarnation: string }[]> {
  return db.query(
    `SELECT name, incarnation FROM playbill_batch.worker
     WHERE heartbeat_at >= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND ORDER BY name`,
    [withinMs * 1000],
  );
}

/** Forgets a replica that stops in good order. */
export async function retire(db: Queryable, name: string, incarnation: string): Promise<void> {
  await db.query('DELETE FROM playbill_batch.worker WHERE name = ? AND incarnation = ?', [name, incarnation]);
}

const LEASE_ID = 1;

/**
 * Takes or renews the right to drive runs. @returns false while another holds it
 */
export async function holdCoordinatorLease(db: Queryable, owner: string, leaseMs: number): Promise<boolean> {
  await db.query(
    `INSERT IGNORE INTO playbill_batch.coordinator_lease (id, owner, lease_until) VALUES (?, '', UTC_TIMESTAMP(6))`,
    [LEASE_ID],
  );
  const result = await db.query(
    `UPDATE playbill_batch.coordinator_lease SET owner = ?, lease_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
     WHERE id = ? AND (owner = ? OR lease_until < UTC_TIMESTAMP(6))`,
    [owner, leaseMs * 1000, LEASE_ID, owner],
  );
  return result.affectedRows === 1;
}

/** Gives the right up at once. */
export async function releaseCoordinatorLease(db: Queryable, owner: string): Promise<void> {
  await db.query(
    'UPDATE playbill_batch.coordinator_lease SET lease_until = UTC_TIMESTAMP(6) WHERE id = ? AND owner = ?',
    [LEASE_ID, owner],
  );
}

/** Records that a slot of the schedule is acted on. @returns false when it has been before */
export async function claimSlot(tx: Queryable, slot: string): Promise<boolean> {
  const result = await tx.query(
    'INSERT IGNORE INTO playbill_batch.tick (slot, acted_at) VALUES (?, UTC_TIMESTAMP(3))',
    [slot],
  );
  return result.affectedRows === 1;
}
