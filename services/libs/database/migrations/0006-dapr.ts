import { createTable } from './migration.js';

/**
 * The tables of Dapr's MySQL state component, made here because two sidecars that start at once on an empty schema
 * race in making them.
 */
export const dapr = [
  createTable({
    name: 'CreateDaprState1761955250001',
    table: 'playbill_dapr.state',
    definition: `(
      id VARCHAR(255) NOT NULL PRIMARY KEY,
      value JSON NOT NULL,
      isbinary BOOLEAN NOT NULL,
      insertDate TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updateDate TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      eTag VARCHAR(36) NOT NULL,
      expiredate TIMESTAMP NULL,
      row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
      INDEX expiredate_idx (expiredate),
      UNIQUE KEY row_id_uidx (row_id)
    )`,
  }),
  createTable({
    name: 'CreateDaprStateMetadata1761955250002',
    table: 'playbill_dapr.dapr_metadata',
    definition: '(id VARCHAR(255) NOT NULL PRIMARY KEY, value TEXT NOT NULL)',
  }),
];
