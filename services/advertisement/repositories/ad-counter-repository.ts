import { type BulkInsert, bulkInsert, type Queryable } from '#lib/database';
import type { ShownIncrement } from '../domain/count-ad-views.js';

/** Rows of one statement. */
const ROWS_MAX = 2_000;

/** Those of the recordings that are counted already. By primary key. */
export async function appliedRecordings(tx: Queryable, recordingIds: readonly string[]): Promise<Set<string>> {
  const rows: { recording_id: string }[] = await tx.query(
    `SELECT recording_id FROM playbill_ad.applied_recording WHERE recording_id IN (${marks(recordingIds)})`,
    [...recordingIds],
  );
  return new Set(rows.map((row) => row.recording_id));
}

/** @throws ER_DUP_ENTRY when one of them is counted already */
export async function insertAppliedRecordings(tx: Queryable, recordingIds: readonly string[]): Promise<void> {
  const rows = recordingIds.map(() => '(?, UTC_TIMESTAMP(3))').join(', ');
  await tx.query(`INSERT INTO playbill_ad.applied_recording (recording_id, applied_at) VALUES ${rows}`, [
    ...recordingIds,
  ]);
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

const SHOWN_ADS: BulkInsert<ShownIncrement> = {
  table: 'playbill_ad.shown_ads',
  columns: ['video_id', 'shown', 'counted', 'excluded'],
  values: ({ videoId, shown, counted, excluded }) => [videoId, shown, counted, excluded],
  onDuplicate: 'ON DUPLICATE KEY UPDATE counted = counted + VALUES(counted), excluded = excluded + VALUES(excluded)',
};

/** Adds to the counters, in the order of the key, so that two transactions never wait for each other. */
export async function addToCounters(tx: Queryable, increments: readonly ShownIncrement[]): Promise<void> {
  for (let at = 0; at < increments.length; at += ROWS_MAX) {
    await bulkInsert(tx, SHOWN_ADS, increments.slice(at, at + ROWS_MAX));
  }
}

/** Forgets recordings with ids below `recordingId`, a thousand at a time. @returns how many were forgotten */
export async function deleteAppliedBefore(db: Queryable, recordingId: string): Promise<number> {
  const result = await db.query(
    'DELETE FROM playbill_ad.applied_recording WHERE recording_id < ? ORDER BY recording_id LIMIT 1000',
    [recordingId],
  );
  return Number(result.affectedRows);
}
