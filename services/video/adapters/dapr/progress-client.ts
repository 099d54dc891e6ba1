import type { VideoId, Viewer } from '#domain';
import type { Sidecar } from '#lib/dapr';

/** Asks the watch-history service where a viewer left off, in seconds. @throws SidecarError when it cannot tell in time */
export function progressBy(sidecar: Sidecar, timeoutMs: number) {
  return async (viewing: { viewer: Viewer; videoId: VideoId }): Promise<number> => {
    const query = new URLSearchParams({ viewer: viewing.viewer, videoId: String(viewing.videoId) });
    const response = await sidecar.invoke('watch-history', `internal/progress?${query}`, { timeoutMs });
    return response.json<{ lastWatched: number }>().lastWatched;
  };
}
