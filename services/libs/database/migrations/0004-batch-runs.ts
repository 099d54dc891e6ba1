import { createTable } from './migration.js';

const UUID = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin';

/**
 * Runs. `active_day` is the day while the run is not ended, else NULL: its unique key is what makes two calls at once
 * one run.
 */
const createRun = createTable({
  name: 'CreateRun1761955230001',
  table: 'playbill_batch.run',
  definition: `(
    run_id ${UUID} NOT NULL COMMENT 'UUID v7',
    run_number BIGINT NOT NULL COMMENT 'ascending; stands for the run in postings',
    job ENUM('daily','statistics','settlement') NOT NULL,
    day DATE NOT NULL,
    active_day DATE NULL,
    state ENUM('queued','running','completed','failed','held') NOT NULL,
    phase ENUM('statistics','settlement') NULL COMMENT 'the phase that runs or ran last',
    requested_by VARCHAR(100) NOT NULL,
    scope ENUM('all','dirty') NULL COMMENT 'which slices its statistics cover',
    billed_on DATE NULL COMMENT 'fixed when settlement is planned',
    posted_at DATETIME(3) NULL COMMENT 'instant of its postings, fixed when settlement is planned',
    read_position VARCHAR(4096) NULL COMMENT 'replication position that a reader must have reached',
    rows_read BIGINT NOT NULL DEFAULT 0,
    postings BIGINT NOT NULL DEFAULT 0,
    error VARCHAR(1000) NULL,
    created_at DATETIME(3) NOT NULL,
    started_at DATETIME(3) NULL,
    ended_at DATETIME(3) NULL,
    PRIMARY KEY (run_id),
    UNIQUE KEY by_number (run_number),
    UNIQUE KEY one_active_run_a_day (active_day),
    KEY by_day (day, created_at)
  ) ENGINE=InnoDB`,
});

/** Slices of a run's phases, with the fencing epoch that a worker must still hold when it commits. */
const createRunSlice = createTable({
  name: 'CreateRunSlice1761955230002',
  table: 'playbill_batch.run_slice',
  definition: `(
    run_id ${UUID} NOT NULL,
    phase ENUM('statistics','settlement') NOT NULL,
    slice TINYINT UNSIGNED NOT NULL,
    state ENUM('waiting','running','done') NOT NULL,
    epoch INT UNSIGNED NOT NULL DEFAULT 0,
    owner VARCHAR(64) NULL,
    lease_until DATETIME(6) NULL COMMENT 'UTC, by the primary''s clock',
    attempts INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'times it ended in an error',
    weight BIGINT NOT NULL DEFAULT 0 COMMENT 'rows it had last time; the longest is dealt first',
    rows_read BIGINT NOT NULL DEFAULT 0,
    rows_written BIGINT NOT NULL DEFAULT 0,
    started_at DATETIME(3) NULL,
    ended_at DATETIME(3) NULL,
    error VARCHAR(1000) NULL,
    PRIMARY KEY (run_id, phase, slice)
  ) ENGINE=InnoDB`,
});

/** The replicas of the batch service that are alive. */
const createWorker = createTable({
  name: 'CreateWorker1761955230003',
  table: 'playbill_batch.worker',
  definition: `(
    name VARCHAR(64) NOT NULL,
    incarnation ${UUID} NOT NULL COMMENT 'changes with every start',
    heartbeat_at DATETIME(6) NOT NULL COMMENT 'UTC, by the primary''s clock',
    PRIMARY KEY (name)
  ) ENGINE=InnoDB`,
});

/** Who drives the runs now: one row. */
const createCoordinatorLease = createTable({
  name: 'CreateCoordinatorLease1761955230004',
  table: 'playbill_batch.coordinator_lease',
  definition: `(
    id TINYINT NOT NULL,
    owner VARCHAR(64) NOT NULL,
    lease_until DATETIME(6) NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

/** Slots of the schedule that have been acted on: a cron binding fires on every replica. */
const createTick = createTable({
  name: 'CreateTick1761955230005',
  table: 'playbill_batch.tick',
  definition: `(
    slot VARCHAR(64) NOT NULL,
    acted_at DATETIME(3) NOT NULL,
    PRIMARY KEY (slot)
  ) ENGINE=InnoDB`,
});

const createBatchOutbox = createTable({
  name: 'CreateBatchOutbox1761955230006',
  table: 'playbill_batch.outbox',
  definition: `(
    id ${UUID} NOT NULL COMMENT 'UUID v7',
    topic VARCHAR(64) CHARACTER SET ascii NOT NULL,
    payload JSON NOT NULL,
    created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

export const batchRuns = [
  createRun,
  createRunSlice,
  createWorker,
  createCoordinatorLease,
  createTick,
  createBatchOutbox,
];
