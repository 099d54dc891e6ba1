import { createSchema, createTable } from './migration.js';

/** Events that failed for good, by consumer. */
export const deadLetters = [
  createSchema({ name: 'CreateEventsSchema1762020020001', schema: 'playbill_events' }),
  createTable({
    name: 'CreateDeadLetter1762020020002',
    table: 'playbill_events.dead_letter',
    definition: `(
      consumer VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'app-id',
      event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'id of the CloudEvent',
      topic VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      payload LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'JSON, the data of the event',
      failed_at DATETIME(3) NOT NULL COMMENT 'UTC, the last time',
      failures INT UNSIGNED NOT NULL DEFAULT 1,
      replayed_at DATETIME(3) NULL COMMENT 'UTC; NULL while it waits for an operator',
      PRIMARY KEY (consumer, event_id),
      KEY open_ones (replayed_at, failed_at)
    ) ENGINE=InnoDB`,
  }),
];
