import { type EventId, eventIdToHex32, type KstDay, REASON, type Viewer } from '#domain';
import { uuidv7 } from '#lib/dapr';
import type { Queryable } from '#lib/database';
import { dayLiteral, uuidLiteral } from './literals.js';

/** Whose events, or which. */
export type Selection = { readonly viewer: Viewer } | { readonly eventIds: readonly EventId[] };

export interface Revocation {
  readonly revocationId: string;
  readonly actor: string;
  readonly reason: string;
  readonly selection: Selection;
  /** Both ends inclusive. */
  readonly from: KstDay;
  readonly to: KstDay;
}

/** Records a revocation and that it is to be done; one that is recorded already stays as it is. */
export async function insertRevocation(tx: Queryable, revocation: Revocation): Promise<void> {
  const { revocationId, actor, reason, selection, from, to } = revocation;
  const viewer = 'viewer' in selection ? selection.viewer : null;
  const eventIds = 'eventIds' in selection ? JSON.stringify(selection.eventIds) : null;
  await tx.query(
    `INSERT IGNORE INTO playbill_watch.revocation
       (revocation_id, actor, reason, viewer, event_ids, from_day, to_day, requested_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
    [revocationId, actor, reason, viewer, eventIds, from, to],
  );
  await tx.query(
    `INSERT IGNORE INTO playbill_watch.revocation_progress (revocation_id, next_day, lease_until)
     VALUES (?, ?, UTC_TIMESTAMP(6))`,
    [revocationId, from],
  );
}

/** A revocation that is not done, and the first day that it has not been through. */
export interface OpenRevocation extends Revocation {
  readonly nextDay: KstDay;
}

/** Takes an open revocation that nobody works on, for a time. A handful of rows by an index. */
export async function claimRevocation(tx: Queryable, leaseMs: number): Promise<OpenRevocation | undefined> {
  const [row]: Record<string, string | null>[] = await tx.query(
    `SELECT p.revocation_id, p.next_day, r.actor, r.reason, r.viewer, r.event_ids, r.from_day, r.to_day
     FROM playbill_watch.revocation_progress p JOIN playbill_watch.revocation r ON r.revocation_id = p.revocation_id
     WHERE p.done = 0 AND p.lease_until <= UTC_TIMESTAMP(6) ORDER BY p.revocation_id LIMIT 1`,
  );
  if (row === undefined) return undefined;
  const result = await tx.query(
    `UPDATE playbill_watch.revocation_progress SET lease_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
     WHERE revocation_id = ? AND done = 0 AND lease_until <= UTC_TIMESTAMP(6)`,
    [leaseMs * 1_000, row.revocation_id],
  );
  if (result.affectedRows !== 1) return undefined;
  const eventIds = typeof row.event_ids === 'string' ? JSON.parse(row.event_ids) : row.event_ids;
  return {
    revocationId: row.revocation_id!,
    actor: row.actor!,
    reason: row.reason!,
    selection: row.viewer === null ? { eventIds: eventIds as EventId[] } : { viewer: row.viewer as Viewer },
    from: row.from_day as KstDay,
    to: row.to_day as KstDay,
    nextDay: row.next_day as KstDay,
  };
}

/** The first day with events from a day on, or null. One seek along the primary key. */
export async function firstEventDay(db: Queryable, from: KstDay): Promise<KstDay | null> {
  const [row] = await db.query('SELECT MIN(day) AS day FROM playbill_watch.watch_event WHERE day >= ?', [from]);
  return (row?.day ?? null) as KstDay | null;
}

/** A counted event's key. */
export interface CountedEvent {
  readonly slice: number;
  readonly videoId: string;
  /** 32 hexadecimal digits. */
  readonly eventId: string;
  readonly adViews: number;
}

/** The counted events of a day that a revocation selects. One scan of the day: events have no other index. */
export async function findCounted(db: Queryable, day: KstDay, selection: Selection): Promise<CountedEvent[]> {
  const condition =
    'viewer' in selection
      ? 'viewer = ?'
      : `event_id IN (${selection.eventIds.map((id) => uuidLiteral(eventIdToHex32(id))).join(', ')})`;
  const rows: { slice: number; video_id: string; event_id: string; ad_view_count: number }[] = await db.query(
    `SELECT slice, video_id, LOWER(HEX(event_id)) AS event_id, ad_view_count FROM playbill_watch.watch_event
     WHERE day = ? AND reason = ${REASON.COUNTED} AND ${condition}`,
    'viewer' in selection ? [day, selection.viewer] : [day],
  );
  return rows.map((row) => ({
    slice: Number(row.slice),
    videoId: String(row.video_id),
    eventId: row.event_id,
    adViews: Number(row.ad_view_count),
  }));
}

/** Makes counted events revoked, by primary key. @returns how many of them still counted */
export async function revokeCounted(tx: Queryable, day: KstDay, events: readonly CountedEvent[]): Promise<number> {
  const keys = events.map((e) => `(${dayLiteral(day)}, ${e.slice}, ${BigInt(e.videoId)}, ${uuidLiteral(e.eventId)})`);
  const result = await tx.query(
    `UPDATE playbill_watch.watch_event SET reason = ${REASON.REVOKED}
     WHERE (day, slice, video_id, event_id) IN (${keys.join(', ')}) AND reason = ${REASON.COUNTED}`,
  );
  return result.affectedRows;
}

/** What a revocation has changed on a day, by video, and the marks by which the day's slices are run again. */
export async function recordEffects(
  tx: Queryable,
  { revocationId, day, events }: { revocationId: string; day: KstDay; events: readonly CountedEvent[] },
): Promise<void> {
  const byVideo = new Map<string, { events: number; adViews: number }>();
  for (const { videoId, adViews } of events) {
    const sum = byVideo.get(videoId) ?? { events: 0, adViews: 0 };
    byVideo.set(videoId, { events: sum.events + 1, adViews: sum.adViews + adViews });
  }
  const effects = [...byVideo].map(([videoId, sum]) => [uuidv7(), revocationId, day, videoId, sum.events, sum.adViews]);
  await tx.query(
    `INSERT INTO playbill_watch.revocation_effect (effect_id, revocation_id, day, video_id, events, ad_views)
     VALUES ${effects.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
    effects.flat(),
  );
  const slices = [...new Set(events.map((event) => event.slice))];
  await tx.query(
    `INSERT IGNORE INTO playbill_watch.dirty_slice (day, slice) VALUES ${slices.map(() => '(?, ?)').join(', ')}`,
    slices.flatMap((slice) => [day, slice]),
  );
}

/** The revocation has been through every day before this one; its worker goes on. */
export async function saveProgress(
  db: Queryable,
  { revocationId, nextDay, leaseMs }: { revocationId: string; nextDay: KstDay; leaseMs: number },
): Promise<void> {
  await db.query(
    `UPDATE playbill_watch.revocation_progress
     SET next_day = ?, lease_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE revocation_id = ?`,
    [nextDay, leaseMs * 1_000, revocationId],
  );
}

/** Days that a revocation has changed. By an index. */
export async function affectedDays(db: Queryable, revocationId: string): Promise<KstDay[]> {
  const rows: { day: KstDay }[] = await db.query(
    'SELECT DISTINCT day FROM playbill_watch.revocation_effect WHERE revocation_id = ? ORDER BY day',
    [revocationId],
  );
  return rows.map((row) => row.day);
}

export async function finishRevocation(db: Queryable, revocationId: string): Promise<void> {
  await db.query('UPDATE playbill_watch.revocation_progress SET done = 1 WHERE revocation_id = ?', [revocationId]);
}
