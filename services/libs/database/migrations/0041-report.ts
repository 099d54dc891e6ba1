import { createTable } from './migration.js';

const UUID = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin';
const HASH = 'CHAR(64) CHARACTER SET ascii COLLATE ascii_bin';
const WEEK = 'CHAR(8) CHARACTER SET ascii COLLATE ascii_bin';

/** Statements: one snapshot a creator, week and revision, made once and never changed. */
const createStatement = createTable({
  name: 'CreateStatement1762040010001',
  table: 'playbill_report.statement',
  definition: `(
    week ${WEEK} NOT NULL,
    creator_id BIGINT NOT NULL,
    revision INT UNSIGNED NOT NULL,
    content_hash ${HASH} NOT NULL COMMENT 'SHA-256 of content',
    settlement_hash ${HASH} NOT NULL COMMENT 'SHA-256 of the creator''s part; when it changes, a revision follows',
    content MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL COMMENT 'JSON; every form of the statement is made from it',
    created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (week, creator_id, revision)
  ) ENGINE=InnoDB`,
});

/** Mails: at most one a creator, week and revision. */
const createMail = createTable({
  name: 'CreateMail1762040010002',
  table: 'playbill_report.mail',
  definition: `(
    mail_id ${UUID} NOT NULL,
    creator_id BIGINT NOT NULL,
    week ${WEEK} NOT NULL,
    revision INT UNSIGNED NOT NULL,
    state ENUM('queued','sending','committing','sent','failed') NOT NULL
      COMMENT 'committing: the end of the message is about to be sent, or was',
    attempts INT UNSIGNED NOT NULL DEFAULT 0,
    next_attempt_at DATETIME(6) NOT NULL COMMENT 'UTC, by the primary''s clock',
    failure VARCHAR(16) CHARACTER SET ascii NULL COMMENT 'NO_ADDRESS, REFUSED, GAVE_UP or IN_DOUBT',
    last_error VARCHAR(500) NULL,
    epoch INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'raised by every claim; a sender must still hold it',
    claimed_by VARCHAR(64) NULL,
    claimed_until DATETIME(6) NULL COMMENT 'UTC, by the primary''s clock',
    created_at DATETIME(3) NOT NULL,
    sent_at DATETIME(3) NULL,
    PRIMARY KEY (mail_id),
    UNIQUE KEY one_a_revision (creator_id, week, revision),
    KEY due (state, next_attempt_at),
    KEY by_week (week, state)
  ) ENGINE=InnoDB`,
});

/** Weeks whose statements are to be made and mailed. */
const createStatementRun = createTable({
  name: 'CreateStatementRun1762040010003',
  table: 'playbill_report.statement_run',
  definition: `(
    run_id ${UUID} NOT NULL,
    week ${WEEK} NOT NULL,
    active_week ${WEEK} NULL COMMENT 'the week while the run is active, else NULL',
    state ENUM('waiting','running','completed') NOT NULL COMMENT 'waiting: the week is not settled yet',
    requested_by VARCHAR(100) NOT NULL,
    next_slice TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'slices of creators before it are done',
    creators INT UNSIGNED NOT NULL DEFAULT 0,
    made INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'statements that were new',
    error VARCHAR(500) NULL COMMENT 'why it waits, or its last error',
    epoch INT UNSIGNED NOT NULL DEFAULT 0,
    claimed_until DATETIME(6) NULL COMMENT 'UTC, by the primary''s clock',
    created_at DATETIME(3) NOT NULL,
    ended_at DATETIME(3) NULL,
    PRIMARY KEY (run_id),
    UNIQUE KEY one_active_run_a_week (active_week),
    KEY by_creation (created_at)
  ) ENGINE=InnoDB`,
});

/** Slots of the schedule that have been acted on: a cron binding fires on every replica. */
const createReportTick = createTable({
  name: 'CreateReportTick1762040010004',
  table: 'playbill_report.tick',
  definition: `(
    slot VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    acted_at DATETIME(3) NOT NULL,
    PRIMARY KEY (slot)
  ) ENGINE=InnoDB`,
});

const createReportOutbox = createTable({
  name: 'CreateReportOutbox1762040010005',
  table: 'playbill_report.outbox',
  definition: `(
    id ${UUID} NOT NULL COMMENT 'UUID v7',
    topic VARCHAR(64) CHARACTER SET ascii NOT NULL,
    payload JSON NOT NULL,
    created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

export const report = [createStatement, createMail, createStatementRun, createReportTick, createReportOutbox];
