import { parseCreatorId, parseVideoId, type VideoId } from '#domain';
import type { Sidecar } from '#lib/dapr';
import type { VideoFacts } from '../../domain/watch-event.js';
import type { FetchVideos } from '../../usecases/video-directory.js';

/** Videos of one call. */
const IDS_MAX = 1_000;
const TIMEOUT_MS = 3_000;

interface Answer {
  readonly videos: readonly { readonly videoId: string; readonly creatorId: string; readonly lengthSeconds: number }[];
}

/** Asks the video service by invocation. @throws SidecarError when it cannot be asked */
export function videosBy(sidecar: Sidecar): FetchVideos {
  return async (videoIds) => {
    const found = new Map<VideoId, VideoFacts>();
    for (let at = 0; at < videoIds.length; at += IDS_MAX) {
      const response = await sidecar.invoke('video', 'internal/videos', {
        method: 'POST',
        body: { videoIds: videoIds.slice(at, at + IDS_MAX).map(String) },
        timeoutMs: TIMEOUT_MS,
      });
      for (const { videoId, creatorId, lengthSeconds } of response.json<Answer>().videos) {
        found.set(parseVideoId(videoId), { creatorId: parseCreatorId(creatorId), lengthSeconds });
      }
    }
    return found;
  };
}
