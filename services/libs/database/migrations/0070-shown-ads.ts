import { createTable, migration } from './migration.js';

const BEFORE = 'playbill_ad.ad_counter_before';

/** From here on a service of the version before fails, and its recordings wait for this one. */
const renameAdCounter = migration({
  name: 'RenameAdCounter1762070000001',
  statement: `RENAME TABLE playbill_ad.ad_counter TO ${BEFORE}`,
  check: `SELECT COUNT(*) AS ok FROM information_schema.tables
    WHERE table_schema = 'playbill_ad' AND table_name = 'ad_counter_before'`,
  skipWhenDone: true,
});

/**
 * Showings of a video's first so many ads, of events that count and of those that do not. The counter of an ad is the
 * sum of its video's rows with `shown` at or above the ad's priority.
 */
const createShownAds = createTable({
  name: 'CreateShownAds1762070000002',
  table: 'playbill_ad.shown_ads',
  definition: `(
    video_id BIGINT NOT NULL,
    shown SMALLINT UNSIGNED NOT NULL COMMENT 'priorities 1 to this',
    counted BIGINT UNSIGNED NOT NULL,
    excluded BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (video_id, shown)
  ) ENGINE=InnoDB`,
});

/** An ad was never shown more often than the one before it; what it lacks was shown up to the one before. */
const fillShownAds = migration({
  name: 'FillShownAds1762070000003',
  statement: `INSERT IGNORE INTO playbill_ad.shown_ads (video_id, shown, counted, excluded)
    SELECT own.video_id, own.priority, own.counted - COALESCE(following.counted, 0),
      own.excluded - COALESCE(following.excluded, 0)
    FROM ${BEFORE} AS own
    LEFT JOIN ${BEFORE} AS following ON following.video_id = own.video_id AND following.priority = own.priority + 1`,
  check: `SELECT (SELECT COALESCE(SUM(counted + excluded), 0) FROM ${BEFORE})
    = (SELECT COALESCE(SUM(shown * (counted + excluded)), 0) FROM playbill_ad.shown_ads) AS ok`,
});

const dropAdCounter = migration({
  name: 'DropAdCounter1762070000004',
  statement: `DROP TABLE IF EXISTS ${BEFORE}`,
  check: `SELECT COUNT(*) = 0 AS ok FROM information_schema.tables
    WHERE table_schema = 'playbill_ad' AND table_name = 'ad_counter_before'`,
});

export const shownAds = [renameAdCounter, createShownAds, fillShownAds, dropAdCounter];
