import { createTable } from './migration.js';

/**
 * Watch events. The key is the dedupe, the clustering for the day's scan, and the unit of work at once;
 * slice = video_id mod 64, written by the writer. Partitions are made ahead of time and dropped by retention.
 * About 100 bytes a row.
 */
const createWatchEvent = createTable({
  name: 'CreateWatchEvent1761955210001',
  table: 'playbill_watch.watch_event',
  definition: `(
    day DATE NOT NULL COMMENT 'Asia/Seoul',
    slice TINYINT UNSIGNED NOT NULL COMMENT 'video_id mod 64',
    video_id BIGINT NOT NULL,
    event_id BINARY(16) NOT NULL,
    viewer VARCHAR(38) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'u:<id> or d:<uuid>',
    watched_at DATETIME(3) NOT NULL COMMENT 'UTC',
    played_time MEDIUMINT UNSIGNED NOT NULL COMMENT 'seconds',
    last_watched MEDIUMINT UNSIGNED NOT NULL COMMENT 'seconds into the video',
    ad_view_count SMALLINT UNSIGNED NOT NULL,
    reason TINYINT UNSIGNED NOT NULL COMMENT '0 counted, 1 self view, 2 repeat, 3 too short, 4 revoked',
    PRIMARY KEY (day, slice, video_id, event_id)
  ) ENGINE=InnoDB PARTITION BY RANGE COLUMNS (day) (
    PARTITION p_first VALUES LESS THAN ('2020-01-01'),
    PARTITION p_rest VALUES LESS THAN (MAXVALUE)
  )`,
});

/** A (day, slice) whose events changed since a run last covered it. Written with the event, cleared by the run. */
const createDirtySlice = createTable({
  name: 'CreateDirtySlice1761955210002',
  table: 'playbill_watch.dirty_slice',
  definition: `(
    day DATE NOT NULL,
    slice TINYINT UNSIGNED NOT NULL,
    PRIMARY KEY (day, slice)
  ) ENGINE=InnoDB`,
});

/** Where each viewer left off in each video, and what the repeat rule needs. */
const createViewerProgress = createTable({
  name: 'CreateViewerProgress1761955210003',
  table: 'playbill_watch.viewer_progress',
  definition: `(
    viewer VARCHAR(38) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    video_id BIGINT NOT NULL,
    last_watched MEDIUMINT UNSIGNED NOT NULL COMMENT 'seconds into the video',
    last_watched_at DATETIME(3) NOT NULL COMMENT 'UTC, of the event that moved it',
    latest_counted_at DATETIME(3) NULL COMMENT 'UTC, watched_at of the latest counted event',
    PRIMARY KEY (viewer, video_id)
  ) ENGINE=InnoDB`,
});

const createWatchOutbox = createTable({
  name: 'CreateWatchOutbox1761955210004',
  table: 'playbill_watch.outbox',
  definition: `(
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUID v7',
    topic VARCHAR(64) CHARACTER SET ascii NOT NULL,
    payload JSON NOT NULL,
    created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

export const watch = [createWatchEvent, createDirtySlice, createViewerProgress, createWatchOutbox];
