import { createTable, migration } from './migration.js';

/** Statistics of a day: one row a video that had events, replaced slice by slice, never added to. */
const createDailyStatistic = createTable({
  name: 'CreateDailyStatistic1761955240001',
  table: 'playbill_batch.daily_statistic',
  definition: `(
    day DATE NOT NULL,
    slice TINYINT UNSIGNED NOT NULL COMMENT 'video_id mod 64',
    video_id BIGINT NOT NULL,
    creator_slice TINYINT UNSIGNED NOT NULL COMMENT 'creator_id mod 64',
    creator_id BIGINT NOT NULL,
    views BIGINT NOT NULL,
    play_time BIGINT NOT NULL COMMENT 'seconds',
    ad_views BIGINT NOT NULL,
    excluded_self_view BIGINT NOT NULL,
    excluded_repeat BIGINT NOT NULL,
    excluded_too_short BIGINT NOT NULL,
    excluded_revoked BIGINT NOT NULL,
    PRIMARY KEY (day, slice, video_id),
    KEY by_creator (day, creator_slice, creator_id)
  ) ENGINE=InnoDB`,
});

/** Days whose statistics are complete, and their revision. */
const createStatisticDay = createTable({
  name: 'CreateStatisticDay1761955240002',
  table: 'playbill_batch.statistic_day',
  definition: `(
    day DATE NOT NULL,
    revision INT UNSIGNED NOT NULL,
    run_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    events BIGINT NOT NULL,
    completed_at DATETIME(3) NOT NULL,
    PRIMARY KEY (day)
  ) ENGINE=InnoDB`,
});

/** Days that are settled, in order and without a gap from the first. */
const createSettlementDay = createTable({
  name: 'CreateSettlementDay1761955240003',
  table: 'playbill_batch.settlement_day',
  definition: `(
    day DATE NOT NULL,
    revision INT UNSIGNED NOT NULL,
    run_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    completed_at DATETIME(3) NOT NULL,
    PRIMARY KEY (day)
  ) ENGINE=InnoDB`,
});

const createTariff = createTable({
  name: 'CreateTariff1761955240004',
  table: 'playbill_batch.tariff',
  definition: `(
    version INT UNSIGNED NOT NULL,
    effective_from DATE NOT NULL,
    rounding ENUM('line','cumulative') NOT NULL,
    created_at DATETIME(3) NOT NULL,
    created_by VARCHAR(100) NOT NULL,
    PRIMARY KEY (version),
    UNIQUE KEY one_a_day (effective_from)
  ) ENGINE=InnoDB`,
});

const createTariffTier = createTable({
  name: 'CreateTariffTier1761955240005',
  table: 'playbill_batch.tariff_tier',
  definition: `(
    version INT UNSIGNED NOT NULL,
    kind ENUM('view','ad') NOT NULL,
    from_position BIGINT NOT NULL,
    unit_price_tenths BIGINT NOT NULL COMMENT 'tenths of a won',
    PRIMARY KEY (version, kind, from_position)
  ) ENGINE=InnoDB`,
});

const insertTariffV1 = migration({
  name: 'InsertTariffV11761955240006',
  statement: `INSERT IGNORE INTO playbill_batch.tariff (version, effective_from, rounding, created_at, created_by)
    VALUES (1, '1970-01-01', 'line', '2026-01-01', 'migration')`,
  check: 'SELECT COUNT(*) AS ok FROM playbill_batch.tariff WHERE version = 1',
});

const insertTariffV1Tiers = migration({
  name: 'InsertTariffV1Tiers1761955240007',
  statement: `INSERT IGNORE INTO playbill_batch.tariff_tier (version, kind, from_position, unit_price_tenths) VALUES
    (1, 'view', 0, 10), (1, 'view', 100000, 11), (1, 'view', 500000, 13), (1, 'view', 1000000, 15),
    (1, 'ad', 0, 100), (1, 'ad', 100000, 120), (1, 'ad', 500000, 150), (1, 'ad', 1000000, 200)`,
  check: 'SELECT COUNT(*) = 8 AS ok FROM playbill_batch.tariff_tier WHERE version = 1',
});

/** How far each video is settled: the end of its chains, and where they began. */
const createPosition = createTable({
  name: 'CreatePosition1761955240008',
  table: 'playbill_batch.position',
  definition: `(
    video_id BIGINT NOT NULL,
    opening_views BIGINT NOT NULL DEFAULT 0,
    opening_ads BIGINT NOT NULL DEFAULT 0,
    views BIGINT NOT NULL,
    ads BIGINT NOT NULL,
    view_seq INT UNSIGNED NOT NULL COMMENT 'postings of kind view so far',
    ad_seq INT UNSIGNED NOT NULL COMMENT 'postings of kind ad so far',
    PRIMARY KEY (video_id)
  ) ENGINE=InnoDB`,
});

/**
 * Postings, immutable: batch's account may INSERT and SELECT, nothing else. seq numbers a video's chain of one kind.
 * Clustered as settlement reads and writes them: an event day, a slice of creators.
 */
const createPosting = createTable({
  name: 'CreatePosting1761955240009',
  table: 'playbill_batch.posting',
  definition: `(
    event_day DATE NOT NULL,
    creator_slice TINYINT UNSIGNED NOT NULL COMMENT 'creator_id mod 64',
    creator_id BIGINT NOT NULL,
    video_id BIGINT NOT NULL,
    kind ENUM('view','ad') NOT NULL,
    seq INT UNSIGNED NOT NULL COMMENT '1, 2, … along the chain of (video, kind)',
    billed_on DATE NOT NULL,
    from_position BIGINT NOT NULL,
    to_position BIGINT NOT NULL,
    amount BIGINT NOT NULL COMMENT 'won',
    tariff_version INT UNSIGNED NOT NULL,
    run_number BIGINT NOT NULL,
    PRIMARY KEY (event_day, creator_slice, creator_id, video_id, kind, seq)
  ) ENGINE=InnoDB`,
});

/**
 * The index of adjustments by the day they are billed on. A table of its own, because an index on posting would be
 * paid for by every first posting (a third of its insert) though those are billed on their event day.
 */
const createAdjustment = createTable({
  name: 'CreateAdjustment1761955240010',
  table: 'playbill_batch.adjustment',
  definition: `(
    billed_on DATE NOT NULL,
    creator_slice TINYINT UNSIGNED NOT NULL,
    creator_id BIGINT NOT NULL,
    event_day DATE NOT NULL,
    video_id BIGINT NOT NULL,
    kind ENUM('view','ad') NOT NULL,
    seq INT UNSIGNED NOT NULL,
    cause VARCHAR(16) CHARACTER SET ascii NOT NULL COMMENT 'LATE or REVOKED',
    PRIMARY KEY (billed_on, creator_slice, creator_id, event_day, video_id, kind, seq)
  ) ENGINE=InnoDB`,
});

/**
 * The ledger: each row is one double entry (debit platform revenue share, credit creator:<creator_id>; a negative
 * amount is a reversal), append-only, chained by hash along each creator's entries.
 */
const createLedgerEntry = createTable({
  name: 'CreateLedgerEntry1761955240011',
  table: 'playbill_batch.ledger_entry',
  definition: `(
    creator_id BIGINT NOT NULL,
    seq BIGINT UNSIGNED NOT NULL COMMENT '1, 2, … along the creator''s chain',
    event_day DATE NOT NULL,
    video_id BIGINT NOT NULL,
    kind ENUM('view','ad') NOT NULL,
    posting_seq INT UNSIGNED NOT NULL,
    amount BIGINT NOT NULL COMMENT 'won',
    run_number BIGINT NOT NULL,
    hash BINARY(32) NOT NULL COMMENT 'SHA-256 over the hash before it and this entry',
    PRIMARY KEY (creator_id, seq)
  ) ENGINE=InnoDB`,
});

/** The end of each creator's ledger chain. No balance is kept here: a balance is the sum of its entries. */
const createLedgerAccount = createTable({
  name: 'CreateLedgerAccount1761955240012',
  table: 'playbill_batch.ledger_account',
  definition: `(
    creator_id BIGINT NOT NULL,
    last_seq BIGINT UNSIGNED NOT NULL,
    last_hash BINARY(32) NOT NULL,
    PRIMARY KEY (creator_id)
  ) ENGINE=InnoDB`,
});

/** Read model: the first five of each period that has data. */
const createTopVideo = createTable({
  name: 'CreateTopVideo1761955240013',
  table: 'playbill_batch.top_video',
  definition: `(
    period_kind ENUM('daily','weekly','monthly') NOT NULL,
    period_from DATE NOT NULL,
    metric ENUM('views','play_time') NOT NULL,
    position_number TINYINT UNSIGNED NOT NULL COMMENT '1 to 5',
    video_id BIGINT NOT NULL,
    amount BIGINT NOT NULL COMMENT 'views, or seconds',
    PRIMARY KEY (period_kind, period_from, metric, position_number)
  ) ENGINE=InnoDB`,
});

export const batchResults = [
  createDailyStatistic,
  createStatisticDay,
  createSettlementDay,
  createTariff,
  createTariffTier,
  insertTariffV1,
  insertTariffV1Tiers,
  createPosition,
  createPosting,
  createAdjustment,
  createLedgerEntry,
  createLedgerAccount,
  createTopVideo,
];
