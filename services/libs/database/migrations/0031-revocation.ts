import { createTable } from './migration.js';

const UUID = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin';

/** Revocations as they were asked for: append-only, the audit of who took events back, and why. */
const createRevocation = createTable({
  name: 'CreateRevocation1762030010001',
  table: 'playbill_watch.revocation',
  definition: `(
    revocation_id ${UUID} NOT NULL COMMENT 'UUID v7',
    actor VARCHAR(100) NOT NULL,
    reason VARCHAR(500) NOT NULL,
    viewer VARCHAR(38) CHARACTER SET ascii COLLATE ascii_bin NULL,
    event_ids JSON NULL,
    from_day DATE NOT NULL,
    to_day DATE NOT NULL,
    requested_at DATETIME(3) NOT NULL,
    PRIMARY KEY (revocation_id)
  ) ENGINE=InnoDB`,
});

/** How far each revocation is. A death in between is taken up at next_day. */
const createRevocationProgress = createTable({
  name: 'CreateRevocationProgress1762030010002',
  table: 'playbill_watch.revocation_progress',
  definition: `(
    revocation_id ${UUID} NOT NULL,
    next_day DATE NOT NULL,
    done TINYINT NOT NULL DEFAULT 0,
    lease_until DATETIME(6) NOT NULL,
    PRIMARY KEY (revocation_id),
    KEY open_ones (done)
  ) ENGINE=InnoDB`,
});

/** What each revocation changed, by day and video: append-only. */
const createRevocationEffect = createTable({
  name: 'CreateRevocationEffect1762030010003',
  table: 'playbill_watch.revocation_effect',
  definition: `(
    effect_id ${UUID} NOT NULL COMMENT 'UUID v7',
    revocation_id ${UUID} NOT NULL,
    day DATE NOT NULL,
    video_id BIGINT NOT NULL,
    events BIGINT NOT NULL COMMENT 'counted before, revoked after',
    ad_views BIGINT NOT NULL,
    PRIMARY KEY (effect_id),
    KEY by_revocation (revocation_id)
  ) ENGINE=InnoDB`,
});

export const revocation = [createRevocation, createRevocationProgress, createRevocationEffect];
