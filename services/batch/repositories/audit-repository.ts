import { uuidv7 } from '#lib/dapr';
import type { Queryable } from '#lib/database';
import { toInstant } from './rows.js';

/** What an operator did to something, with what it was before and is after; null where it was or is not there. */
export interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  /** What was acted on, e.g. `day:2026-11-21`. */
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** An entry as operators see it. */
export interface AuditView extends AuditEntry {
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly at: string;
}

/** Adds an entry, in the transaction of the act. */
export async function writeAudit(tx: Queryable, entry: AuditEntry): Promise<void> {
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  await tx.query(
    `INSERT INTO playbill_batch.audit_log (id, at, actor, action, subject, before_value, after_value)
     VALUES (?, UTC_TIMESTAMP(3), ?, ?, ?, ?, ?)`,
    [uuidv7(), entry.actor, entry.action, entry.subject, json(entry.before), json(entry.after)],
  );
}

interface AuditRow {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly before_value: unknown;
  readonly after_value: unknown;
}

/**
 * Entries from the newest on, at most `limit`, before the given id; revocations, which the watch service keeps, are
 * among them. Two ranges of primary keys (ids are UUIDs v7), and the effects of each revocation by an index.
 */
export async function readAudit(db: Queryable, limit: number, beforeId?: string): Promise<AuditView[]> {
  const before = beforeId ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  const rows: AuditRow[] = await db.query(
    `SELECT * FROM (
       (SELECT id, at, actor, action, subject, before_value, after_value FROM playbill_batch.audit_log
         WHERE id < ? ORDER BY id DESC LIMIT ?)
       UNION ALL
       (SELECT r.revocation_id, r.requested_at, r.actor, 'events.revoke',
           COALESCE(CONCAT('viewer:', r.viewer), CONCAT('events:', JSON_LENGTH(r.event_ids))), NULL,
           JSON_OBJECT('reason', r.reason, 'from', r.from_day, 'to', r.to_day,
             'events', (SELECT COALESCE(SUM(events), 0) FROM playbill_watch.revocation_effect e
                WHERE e.revocation_id = r.revocation_id))
         FROM playbill_watch.revocation r WHERE r.revocation_id < ? ORDER BY r.revocation_id DESC LIMIT ?)) a
     ORDER BY id DESC LIMIT ?`,
    [before, limit, before, limit, limit],
  );
  return rows.map((row) => ({
    id: row.id,
    at: toInstant(row.at)!,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    before: parsed(row.before_value),
    after: parsed(row.after_value),
  }));
}

/** MySQL's driver gives JSON as values, MariaDB's as text. */
function parsed(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : (value ?? null);
}
