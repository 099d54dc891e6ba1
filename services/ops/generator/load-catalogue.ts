import type { Queryable } from '#lib/database';
import type { BulkLoader } from '../adapters/bulk-loader.js';
import { CommandError } from '../errors.js';
import { CATALOGUE_COLUMNS, type CatalogueVideo, catalogueRow, catalogueVideo } from './catalogue.js';

const VIDEOS_PER_PART = 50_000;

interface StoredVideo {
  readonly video_id: string;
  readonly creator_id: string;
  readonly length_seconds: string | number;
}

/**
 * Registers videos 1 … `videos` where they are not.
 * @returns how many were new
 * @throws CommandError CATALOGUE_DIFFERS when one of these ids is a video of another creator or length: events that
 * were generated for it would break the rules that were decided for another
 */
export async function loadCatalogue(
  { reader, loader }: { reader: Queryable; loader: BulkLoader },
  { videos, creators }: { videos: number; creators: number },
): Promise<number> {
  let newVideos = 0;
  for (let first = 1; first <= videos; first += VIDEOS_PER_PART) {
    const last = Math.min(videos, first + VIDEOS_PER_PART - 1);
    const part = Array.from({ length: last - first + 1 }, (_, index) => catalogueVideo(first + index, creators));
    const stored = await storedVideos(reader, { first, last });
    const missing = part.filter((video) => !isStored(video, stored.get(video.videoId)));
    if (missing.length > 0) newVideos += await load(loader, missing);
  }
  return newVideos;
}

/** Reads by the primary key, up to VIDEOS_PER_PART rows. */
async function storedVideos(
  reader: Queryable,
  { first, last }: { first: number; last: number },
): Promise<Map<number, StoredVideo>> {
  const rows: StoredVideo[] = await reader.query(
    'SELECT video_id, creator_id, length_seconds FROM playbill_video.video WHERE video_id BETWEEN ? AND ?',
    [first, last],
  );
  return new Map(rows.map((row) => [Number(row.video_id), row]));
}

function isStored(video: CatalogueVideo, stored: StoredVideo | undefined): boolean {
  if (stored === undefined) return false;
  const isSame = stored.creator_id === String(video.creatorId) && Number(stored.length_seconds) === video.lengthSeconds;
  if (isSame) return true;
  throw new CommandError(
    'CATALOGUE_DIFFERS',
    `video ${video.videoId} is there with creator ${stored.creator_id} and ${stored.length_seconds} s, and would be ` +
      `generated with creator ${video.creatorId} and ${video.lengthSeconds} s; use the --creators that it was made with`,
  );
}

function load(loader: BulkLoader, videos: readonly CatalogueVideo[]): Promise<number> {
  return loader.transaction(() =>
    loader.load({
      table: 'playbill_video.video',
      fields: `(${CATALOGUE_COLUMNS.join(', ')})`,
      blocks: [Buffer.from(videos.map(catalogueRow).join(''), 'utf8')],
      rows: videos.length,
    }),
  );
}
