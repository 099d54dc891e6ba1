import { createTable, migration } from './migration.js';

const UUID = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin';

function columnCheck(table: string, column: string): string {
  return `SELECT COUNT(*) AS ok FROM information_schema.columns
    WHERE table_schema = 'playbill_batch' AND table_name = '${table}' AND column_name = '${column}'`;
}

/**
 * The books: one row. Whoever decides what a day is priced by, or where chains begin, holds it: a tariff, the opening
 * positions and the planning of a settlement never pass each other unseen.
 */
const createBooks = createTable({
  name: 'CreateBooks1762030000001',
  table: 'playbill_batch.books',
  definition: `(
    id TINYINT NOT NULL,
    opened_on DATE NULL COMMENT 'the first day that was settled',
    opening_sha256 CHAR(64) CHARACTER SET ascii NULL COMMENT 'of the file of opening positions',
    opening_videos BIGINT NULL,
    opening_loaded_at DATETIME(3) NULL,
    opening_loaded_by VARCHAR(100) NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

const insertBooks = migration({
  name: 'InsertBooks1762030000002',
  statement: `INSERT IGNORE INTO playbill_batch.books (id, opened_on)
    SELECT 1, MIN(day) FROM playbill_batch.settlement_day`,
  check: 'SELECT COUNT(*) AS ok FROM playbill_batch.books WHERE id = 1',
});

/** A posting knows its ledger entry and the posting before it in its chain, so that a day is proven by its own keys. */
const addPostingLedgerSeq = migration({
  name: 'AddPostingLedgerSeq1762030000003',
  statement: `ALTER TABLE playbill_batch.posting
    ADD COLUMN ledger_seq BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'its entry in the creator''s ledger chain'`,
  check: columnCheck('posting', 'ledger_seq'),
  skipWhenDone: true,
});

const addPostingPreviousDay = migration({
  name: 'AddPostingPreviousDay1762030000004',
  statement: `ALTER TABLE playbill_batch.posting
    ADD COLUMN previous_day DATE NULL COMMENT 'event day of the posting seq - 1 of the chain; NULL for the first'`,
  check: columnCheck('posting', 'previous_day'),
  skipWhenDone: true,
});

const fillPostingLedgerSeq = migration({
  name: 'FillPostingLedgerSeq1762030000005',
  statement: `UPDATE playbill_batch.posting p JOIN playbill_batch.ledger_entry l
      ON l.creator_id = p.creator_id AND l.event_day = p.event_day AND l.video_id = p.video_id AND l.kind = p.kind
      AND l.posting_seq = p.seq
    SET p.ledger_seq = l.seq WHERE p.ledger_seq = 0`,
  check: 'SELECT COUNT(*) = 0 AS ok FROM playbill_batch.posting WHERE ledger_seq = 0',
});

const fillPostingPreviousDay = migration({
  name: 'FillPostingPreviousDay1762030000006',
  statement: `UPDATE playbill_batch.posting p JOIN (
      SELECT event_day, creator_slice, creator_id, video_id, kind, seq,
        LAG(event_day) OVER (PARTITION BY video_id, kind ORDER BY seq) AS previous_day
      FROM playbill_batch.posting) c
      ON c.event_day = p.event_day AND c.creator_slice = p.creator_slice AND c.creator_id = p.creator_id
      AND c.video_id = p.video_id AND c.kind = p.kind AND c.seq = p.seq
    SET p.previous_day = c.previous_day`,
  check: 'SELECT COUNT(*) = 0 AS ok FROM playbill_batch.posting WHERE seq > 1 AND previous_day IS NULL',
});

const addPositionViewDay = migration({
  name: 'AddPositionViewDay1762030000007',
  statement: `ALTER TABLE playbill_batch.position
    ADD COLUMN view_day DATE NULL COMMENT 'event day of the last posting of kind view'`,
  check: columnCheck('position', 'view_day'),
  skipWhenDone: true,
});

const addPositionAdDay = migration({
  name: 'AddPositionAdDay1762030000008',
  statement: `ALTER TABLE playbill_batch.position
    ADD COLUMN ad_day DATE NULL COMMENT 'event day of the last posting of kind ad'`,
  check: columnCheck('position', 'ad_day'),
  skipWhenDone: true,
});

const fillPositionDays = migration({
  name: 'FillPositionDays1762030000009',
  statement: `UPDATE playbill_batch.position s
    LEFT JOIN playbill_batch.posting v ON v.video_id = s.video_id AND v.kind = 'view' AND v.seq = s.view_seq
    LEFT JOIN playbill_batch.posting a ON a.video_id = s.video_id AND a.kind = 'ad' AND a.seq = s.ad_seq
    SET s.view_day = v.event_day, s.ad_day = a.event_day`,
  check: `SELECT COUNT(*) = 0 AS ok FROM playbill_batch.position
    WHERE (view_seq > 0 AND view_day IS NULL) OR (ad_seq > 0 AND ad_day IS NULL)`,
});

/** Fixed when a run's settlement is planned: all its slices price by the same tariff. */
const addRunTariffVersion = migration({
  name: 'AddRunTariffVersion1762030000010',
  statement: 'ALTER TABLE playbill_batch.run ADD COLUMN tariff_version INT UNSIGNED NULL',
  check: columnCheck('run', 'tariff_version'),
  skipWhenDone: true,
});

/** Sums of a creator's ledger up to an entry, append-only: a balance is the last of them and the entries after it. */
const createLedgerCheckpoint = createTable({
  name: 'CreateLedgerCheckpoint1762030000011',
  table: 'playbill_batch.ledger_checkpoint',
  definition: `(
    creator_id BIGINT NOT NULL,
    seq BIGINT UNSIGNED NOT NULL COMMENT 'the last entry that is summed',
    balance BIGINT NOT NULL COMMENT 'won, sum of the entries 1 to seq',
    PRIMARY KEY (creator_id, seq)
  ) ENGINE=InnoDB`,
});

/** Days that an operator holds: their settlement waits. */
const createDayHold = createTable({
  name: 'CreateDayHold1762030000012',
  table: 'playbill_batch.day_hold',
  definition: `(
    day DATE NOT NULL,
    reason VARCHAR(500) NOT NULL,
    held_by VARCHAR(100) NOT NULL,
    held_at DATETIME(3) NOT NULL,
    PRIMARY KEY (day)
  ) ENGINE=InnoDB`,
});

/** What operators did: append-only, written in the transaction of the act. */
const createAuditLog = createTable({
  name: 'CreateAuditLog1762030000013',
  table: 'playbill_batch.audit_log',
  definition: `(
    id ${UUID} NOT NULL COMMENT 'UUID v7',
    at DATETIME(3) NOT NULL,
    actor VARCHAR(100) NOT NULL,
    action VARCHAR(40) CHARACTER SET ascii NOT NULL,
    subject VARCHAR(200) NOT NULL COMMENT 'what was acted on, e.g. day:2026-11-21',
    before_value JSON NULL,
    after_value JSON NULL,
    PRIMARY KEY (id)
  ) ENGINE=InnoDB`,
});

/** Days whose events were revoked, until a run that covers them is queued. */
const createRerunRequest = createTable({
  name: 'CreateRerunRequest1762030000014',
  table: 'playbill_batch.rerun_request',
  definition: `(
    day DATE NOT NULL,
    requested_by VARCHAR(100) NOT NULL,
    requested_at DATETIME(3) NOT NULL,
    PRIMARY KEY (day)
  ) ENGINE=InnoDB`,
});

export const money = [
  createBooks,
  insertBooks,
  addPostingLedgerSeq,
  addPostingPreviousDay,
  fillPostingLedgerSeq,
  fillPostingPreviousDay,
  addPositionViewDay,
  addPositionAdDay,
  fillPositionDays,
  addRunTariffVersion,
  createLedgerCheckpoint,
  createDayHold,
  createAuditLog,
  createRerunRequest,
];
