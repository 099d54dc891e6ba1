import { eventIdFromHex32, eventIdToHex32, type KstDay, type ReasonCode, sliceOf } from '#domain';
import type { Queryable } from '#lib/database';
import type { DecidedEvent } from '../domain/decide.js';
import { eventKey, type WatchEvent } from '../domain/watch-event.js';
import { countLiteral, dayLiteral, dayNumeral, instantNumeral, uuidLiteral, viewerLiteral } from './literals.js';

/** Keys of one statement: MariaDB turns longer lists into a join, which is slower. */
const KEYS_MAX = 500;

/** An event as a row without its reason, which is decided only when others have to wait. */
export interface EventRow extends Place {
  readonly event: WatchEvent;
  readonly text: string;
}

/** Writes events as rows, in the order of the primary key: before the transaction, lest rows be locked meanwhile. */
export function writeRows(events: readonly WatchEvent[]): EventRow[] {
  const rows = events.map((event): EventRow => {
    const slice = sliceOf(event.videoId);
    return { day: event.day, slice, videoId: event.videoId, event, text: rowOf(event, slice) };
  });
  return rows.sort(comparePlaces);
}

/**
 * Inserts those of the rows whose events are accepted, by one statement.
 * @throws ER_DUP_ENTRY when one of them is there already
 */
export async function insertEvents(
  tx: Queryable,
  { rows, accepted }: { rows: readonly EventRow[]; accepted: readonly DecidedEvent[] },
): Promise<void> {
  if (accepted.length === 0) return;
  const reasons = new Map(accepted.map(({ event, reason }) => [event, reason]));
  const texts: string[] = [];
  for (const { event, text } of rows) {
    const reason = reasons.get(event);
    // One that was handed in twice has two rows.
    if (reasons.delete(event)) texts.push(`${text},${reason})`);
  }
  const result = await tx.query(
    `INSERT INTO playbill_watch.watch_event (day, slice, video_id, event_id, viewer, watched_at, played_time,
      last_watched, ad_view_count, reason) VALUES ${texts.join(',')}`,
  );
  const stored = result.affectedRows;
  if (stored !== accepted.length) throw new Error(`${stored} events stored of ${accepted.length}`);
}

interface Place {
  readonly day: string;
  readonly slice: number;
  readonly videoId: bigint;
}

function comparePlaces(a: Place, b: Place): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  if (a.slice !== b.slice) return a.slice - b.slice;
  if (a.videoId === b.videoId) return 0;
  return a.videoId < b.videoId ? -1 : 1;
}

function rowOf(event: WatchEvent, slice: number): string {
  return `(${dayNumeral(event.day)},${slice},${event.videoId},${uuidLiteral(eventIdToHex32(event.eventId))},${viewerLiteral(
    event.viewer,
  )},${instantNumeral(event.watchedAtMs)},${countLiteral(event.playedTime)},${countLiteral(event.lastWatched)},${countLiteral(
    event.adViewCount,
  )}`;
}

interface StoredRow {
  readonly day: string;
  readonly video_id: string;
  readonly event_id: Buffer;
  readonly reason: number;
}

/** What was decided of those of the events that are stored, by eventKey. Reads them by primary key, 500 a statement. */
export async function storedReasons(db: Queryable, events: readonly WatchEvent[]): Promise<Map<string, ReasonCode>> {
  const stored = new Map<string, ReasonCode>();
  for (let at = 0; at < events.length; at += KEYS_MAX) {
    const keys = events
      .slice(at, at + KEYS_MAX)
      .map(keyLiteral)
      .join(',');
    const rows: StoredRow[] = await db.query(
      `SELECT day, video_id, event_id, reason FROM playbill_watch.watch_event
       WHERE (day, slice, video_id, event_id) IN (${keys})`,
    );
    for (const row of rows) {
      const eventId = eventIdFromHex32(row.event_id.toString('hex'));
      stored.set(eventKey({ day: row.day, videoId: row.video_id, eventId }), Number(row.reason) as ReasonCode);
    }
  }
  return stored;
}

function keyLiteral({ day, videoId, eventId }: WatchEvent): string {
  return `(${dayLiteral(day)},${sliceOf(videoId)},${videoId},${uuidLiteral(eventIdToHex32(eventId))})`;
}

/**
 * Marks the slices whose events change. The marks' rows stay locked until the transaction ends, so that a run which
 * clears them waits for what is being written.
 */
export async function markDirty(tx: Queryable, places: readonly { day: KstDay; slice: number }[]): Promise<void> {
  if (places.length === 0) return;
  const unique = [...new Set(places.map(({ day, slice }) => `${day} ${String(slice).padStart(2, '0')}`))].sort();
  const rows = unique.map((place) => `(${dayLiteral(place.slice(0, 10))},${Number(place.slice(11))})`);
  await tx.query(`INSERT IGNORE INTO playbill_watch.dirty_slice (day, slice) VALUES ${rows.join(',')}`);
}
