import { createTable } from './migration.js';

/**
 * Days whose raw events are dropped, with how many they were: written before their partition goes, so that no run
 * computes such a day again and takes its missing events for revoked ones.
 */
export const retention = [
  createTable({
    name: 'CreateDroppedDay1762060000001',
    table: 'playbill_batch.dropped_day',
    definition: `(
      day DATE NOT NULL,
      events BIGINT NOT NULL,
      dropped_at DATETIME(3) NOT NULL,
      dropped_by VARCHAR(100) NOT NULL,
      PRIMARY KEY (day)
    ) ENGINE=InnoDB`,
  }),
];
