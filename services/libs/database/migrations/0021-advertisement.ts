import { createTable } from './migration.js';

/** Ad views of each ad: of events that count, and of those that do not. */
const createAdCounter = createTable({
  name: 'CreateAdCounter1762020010001',
  table: 'playbill_ad.ad_counter',
  definition: `(
    video_id BIGINT NOT NULL,
    priority SMALLINT UNSIGNED NOT NULL COMMENT '1 … number of the video''s ads',
    counted BIGINT UNSIGNED NOT NULL,
    excluded BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (video_id, priority)
  ) ENGINE=InnoDB`,
});

/** Recordings whose ad views are counted, so that none is counted twice, whichever way it came. */
const createAppliedRecording = createTable({
  name: 'CreateAppliedRecording1762020010002',
  table: 'playbill_ad.applied_recording',
  definition: `(
    recording_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUID v7',
    applied_at DATETIME(3) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (recording_id)
  ) ENGINE=InnoDB`,
});

export const advertisement = [createAdCounter, createAppliedRecording];
