import { type KstDay, sliceOf } from '#domain';
import { bulkInsert, type Queryable } from '#lib/database';
import type { Exclusions } from '../domain/late-exclusions.js';

const COLUMNS = ['excluded_self_view', 'excluded_repeat', 'excluded_too_short', 'excluded_revoked'] as const;

/** What a slice's statistics of a day exclude, of videos with any. By primary key. */
export async function readExclusions(
  tx: Queryable,
  { day, slice }: { day: KstDay; slice: number },
): Promise<Exclusions[]> {
  const rows: Record<'video_id' | 'creator_id' | (typeof COLUMNS)[number], string>[] = await tx.query(
    `SELECT video_id, creator_id, excluded_self_view, excluded_repeat, excluded_too_short, excluded_revoked
     FROM playbill_batch.daily_statistic WHERE day = ? AND slice = ?
       AND excluded_self_view + excluded_repeat + excluded_too_short + excluded_revoked > 0`,
    [day, slice],
  );
  return rows.map((row) => ({
    videoId: BigInt(row.video_id),
    creatorId: BigInt(row.creator_id),
    counts: {
      SELF_VIEW: BigInt(row.excluded_self_view),
      REPEAT: BigInt(row.excluded_repeat),
      TOO_SHORT: BigInt(row.excluded_too_short),
      REVOKED: BigInt(row.excluded_revoked),
    },
  }));
}

/** Stores what a run changed of a settled day's exclusions. */
export async function insertLateExclusions(
  tx: Queryable,
  { day, billedOn, runNumber }: { day: KstDay; billedOn: KstDay; runNumber: number },
  changes: readonly Exclusions[],
): Promise<void> {
  await bulkInsert(
    tx,
    {
      table: 'playbill_batch.late_exclusion',
      columns: ['creator_slice', 'creator_id', 'video_id', ...COLUMNS],
      values: ({ videoId, creatorId, counts }) => [
        sliceOf(creatorId),
        creatorId,
        videoId,
        counts.SELF_VIEW,
        counts.REPEAT,
        counts.TOO_SHORT,
        counts.REVOKED,
      ],
      constants: { billed_on: billedOn, event_day: day, run_number: runNumber },
    },
    changes,
  );
}
