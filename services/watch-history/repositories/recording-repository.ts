import type { WatchRecorded } from '#lib/contract';
import type { Queryable } from '#lib/database';

/** The outbox of recordings. */
export const RECORDINGS = { table: 'playbill_watch.recording', key: 'recording_id' };

/** A recording as it goes over every wire: its JSON text is made once. */
export interface WrittenRecording {
  readonly recordingId: string;
  readonly json: string;
}

/** A recording that was not delivered to everybody yet. */
export interface PendingRecording {
  readonly recording: WrittenRecording;
  /** Whether the broker has taken it; then only the advertisement service may still lack it. */
  readonly published: boolean;
}

export function writeRecording(recording: WatchRecorded['recordings'][number]): WrittenRecording {
  return { recordingId: recording.recordingId, json: JSON.stringify(recording) };
}

/** Writes the recording into the outbox, in the transaction of its events. */
export async function insertRecording(tx: Queryable, { recordingId, json }: WrittenRecording): Promise<void> {
  await tx.query(
    'INSERT INTO playbill_watch.recording (recording_id, payload, created_at) VALUES (?, ?, UTC_TIMESTAMP(3))',
    [recordingId, json],
  );
}

/** Removes recordings that everybody has. */
export async function deleteRecordings(db: Queryable, recordingIds: readonly string[]): Promise<void> {
  if (recordingIds.length === 0) return;
  await db.query(`DELETE FROM playbill_watch.recording WHERE recording_id IN (${marks(recordingIds)})`, [
    ...recordingIds,
  ]);
}

export async function markPublished(db: Queryable, recordingIds: readonly string[]): Promise<void> {
  if (recordingIds.length === 0) return;
  await db.query(
    `UPDATE playbill_watch.recording SET published_at = UTC_TIMESTAMP(3)
     WHERE published_at IS NULL AND recording_id IN (${marks(recordingIds)})`,
    [...recordingIds],
  );
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

interface RecordingRow {
  readonly recording_id: string;
  readonly payload: string;
  readonly published_at: string | null;
}

/**
 * Recordings that have waited for at least `ageSeconds`, the oldest first, either those that the broker has or those
 * that it lacks. By the index on published_at.
 */
export async function readPending(
  db: Queryable,
  options: { published: boolean; ageSeconds: number; limit: number },
): Promise<PendingRecording[]> {
  const rows: RecordingRow[] = await db.query(
    `SELECT recording_id, payload, published_at FROM playbill_watch.recording
     WHERE published_at IS ${options.published ? 'NOT NULL' : 'NULL'}
       AND created_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND
     ORDER BY recording_id LIMIT ${options.limit}`,
    [options.ageSeconds],
  );
  return rows.map(({ recording_id, payload, published_at }) => ({
    recording: { recordingId: recording_id, json: payload },
    published: published_at !== null,
  }));
}
