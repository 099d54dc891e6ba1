import { createTable } from './migration.js';

/**
 * Excluded events that a run found when their day was settled already, as what it changed: append-only, written with the
 * statistics that it replaced. What was excluded when the day was settled is its statistics without these.
 */
export const lateExclusions = [
  createTable({
    name: 'CreateLateExclusion1762062000001',
    table: 'playbill_batch.late_exclusion',
    definition: `(
      billed_on DATE NOT NULL COMMENT 'the day of the run that found it; on its bill they are shown',
      creator_slice TINYINT UNSIGNED NOT NULL COMMENT 'creator_id mod 64',
      creator_id BIGINT NOT NULL,
      event_day DATE NOT NULL,
      video_id BIGINT NOT NULL,
      run_number BIGINT NOT NULL,
      excluded_self_view BIGINT NOT NULL,
      excluded_repeat BIGINT NOT NULL,
      excluded_too_short BIGINT NOT NULL,
      excluded_revoked BIGINT NOT NULL,
      PRIMARY KEY (billed_on, creator_slice, creator_id, event_day, video_id, run_number),
      KEY by_event_day (event_day, creator_slice, creator_id)
    ) ENGINE=InnoDB`,
  }),
];
