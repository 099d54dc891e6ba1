import { randomInt } from 'node:crypto';
import type { CreatorId } from '#domain';
import type { Queryable } from '#lib/database';
import type { RequestIdentity } from '#lib/http';
import { type Video, videoIdAt } from '../domain/video.js';
import { findVideos, insertVideo } from '../repositories/video-repository.js';

export interface Registration {
  readonly creatorId: CreatorId;
  readonly title: string;
  readonly lengthSeconds: number;
}

const TIES = 2 ** 22;
const ATTEMPTS_MAX = 5;

/** Registers a video. The same request, sent again by a sidecar, gives the same video. */
export async function registerVideo(
  db: Queryable,
  registration: Registration,
  { requestId, receivedAtMs }: RequestIdentity,
): Promise<Video> {
  let tie = Number.parseInt(requestId.slice(-6), 16) % TIES;
  for (let attempt = 1; ; attempt++) {
    const video: Video = { videoId: videoIdAt(receivedAtMs, tie), ...registration };
    try {
      await insertVideo(db, video);
      return video;
    } catch (error) {
      if ((error as { code?: string }).code !== 'ER_DUP_ENTRY' || attempt >= ATTEMPTS_MAX) throw error;
    }
    const [existing] = await findVideos(db, [video.videoId]);
    if (existing !== undefined && isSame(existing, video)) return existing;
    tie = randomInt(TIES);
  }
}

function isSame(a: Video, b: Video): boolean {
  return a.creatorId === b.creatorId && a.title === b.title && a.lengthSeconds === b.lengthSeconds;
}
