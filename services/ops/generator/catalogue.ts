import { adsOf } from '#domain';
import { fractionOf, mix } from './random.js';
import { titleOf } from './titles.js';

/** A generated video. It depends on its id and on the number of creators only, so all days share one catalogue. */
export interface CatalogueVideo {
  readonly videoId: number;
  readonly creatorId: number;
  readonly lengthSeconds: number;
  readonly ads: number;
}

const CREATOR_SALT = 0x0c4ea704;
const LENGTH_SALT = 0x1e9674;
const LENGTH_MIN_SECONDS = 60;
const LENGTH_MAX_SECONDS = 7_200;

/** The video with that id among those of `creators` creators with ids 1 … `creators`. Short videos are more common. */
export function catalogueVideo(videoId: number, creators: number): CatalogueVideo {
  const fraction = fractionOf(LENGTH_SALT, videoId);
  const range = LENGTH_MAX_SECONDS - LENGTH_MIN_SECONDS + 1;
  const lengthSeconds = LENGTH_MIN_SECONDS + Math.floor(fraction * fraction * range);
  return {
    videoId,
    creatorId: (mix(CREATOR_SALT, videoId) % creators) + 1,
    lengthSeconds,
    ads: adsOf(lengthSeconds),
  };
}

/** When generated videos were registered, in UTC; before any day that can be generated. */
const CREATED_AT = '2019-12-31 00:00:00.000';

/** Columns of {@link catalogueRow}, in their order. */
export const CATALOGUE_COLUMNS = ['video_id', 'creator_id', 'title', 'length_seconds', 'created_at'] as const;

/** The video's row for a bulk load: fields separated by tabs, ended by a line feed. */
export function catalogueRow(video: CatalogueVideo): string {
  const { videoId, creatorId, lengthSeconds } = video;
  return `${videoId}\t${creatorId}\t${titleOf(videoId)}\t${lengthSeconds}\t${CREATED_AT}\n`;
}
