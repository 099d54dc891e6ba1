import { createTable, migration } from './migration.js';

/** Versions of what counts; a version never changes and never touches events that were decided before. */
const createValidityPolicy = createTable({
  name: 'CreateValidityPolicy1762020000001',
  table: 'playbill_watch.validity_policy',
  definition: `(
    version INT UNSIGNED NOT NULL,
    effective_from DATE NOT NULL COMMENT 'event day, Asia/Seoul',
    repeat_window_ms INT UNSIGNED NOT NULL,
    min_played_seconds INT UNSIGNED NOT NULL,
    created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (version)
  ) ENGINE=InnoDB`,
});

const insertValidityPolicyV1 = migration({
  name: 'InsertValidityPolicyV11762020000002',
  statement: `INSERT IGNORE INTO playbill_watch.validity_policy
      (version, effective_from, repeat_window_ms, min_played_seconds, created_at)
    VALUES (1, '1970-01-01', 30000, 0, '2026-01-01')`,
  check: 'SELECT COUNT(*) AS ok FROM playbill_watch.validity_policy WHERE version = 1',
});

/**
 * The outbox of `watch.recorded`: a row is written with the events that it sums up, and removed when the broker and
 * the advertisement service have it.
 */
const createRecording = createTable({
  name: 'CreateRecording1762020000003',
  table: 'playbill_watch.recording',
  definition: `(
    recording_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUID v7',
    payload MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'JSON',
    created_at DATETIME(3) NOT NULL COMMENT 'UTC',
    published_at DATETIME(3) NULL COMMENT 'UTC; when the broker took it',
    PRIMARY KEY (recording_id),
    KEY by_published (published_at)
  ) ENGINE=InnoDB`,
});

export const ingest = [createValidityPolicy, insertValidityPolicyV1, createRecording];
