import { createTable } from './migration.js';

/** Registered videos. Creator and length never change, so other services may keep what they have read. */
export const video = [
  createTable({
    name: 'CreateVideo1761955220001',
    table: 'playbill_video.video',
    definition: `(
      video_id BIGINT NOT NULL,
      creator_id BIGINT NOT NULL,
      title VARCHAR(200) NOT NULL,
      length_seconds MEDIUMINT UNSIGNED NOT NULL,
      created_at DATETIME(3) NOT NULL,
      PRIMARY KEY (video_id),
      KEY by_creator (creator_id, video_id)
    ) ENGINE=InnoDB`,
  }),
];
