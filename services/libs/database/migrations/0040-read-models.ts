import { createTable, migration } from './migration.js';

/**
 * Number of the state of batch's results: raised in the transaction of every completion. A reader that knows a number
 * tells by it whether a replica is behind what was served before. One row.
 */
const createReadModel = createTable({
  name: 'CreateReadModel1762040000001',
  table: 'playbill_batch.read_model',
  definition: `(
    id TINYINT NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

const insertReadModel = migration({
  name: 'InsertReadModel1762040000002',
  statement: 'INSERT IGNORE INTO playbill_batch.read_model (id, version) VALUES (1, 1)',
  check: 'SELECT COUNT(*) AS ok FROM playbill_batch.read_model WHERE id = 1',
});

/**
 * Periods with rows in top_video, and what those rows cover. Weeks and months are built after a day's completion has
 * raised `wanted`; the running day is built on demand.
 */
const createTopPeriod = createTable({
  name: 'CreateTopPeriod1762040000003',
  table: 'playbill_batch.top_period',
  definition: `(
    period_kind ENUM('daily','weekly','monthly') NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    wanted INT UNSIGNED NOT NULL COMMENT 'raised by every completion of a day of the period',
    built INT UNSIGNED NOT NULL COMMENT 'the value of wanted that top_video covers',
    is_final TINYINT NOT NULL COMMENT '1: every day of the period was complete',
    as_of DATETIME(3) NULL COMMENT 'UTC; instant that the data reaches, null before the first build',
    claimed_until DATETIME(6) NULL COMMENT 'UTC, by the primary''s clock; somebody is building it',
    PRIMARY KEY (period_kind, period_from)
  ) ENGINE=InnoDB`,
});

export const readModels = [createReadModel, insertReadModel, createTopPeriod];
