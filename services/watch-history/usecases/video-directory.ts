import type { VideoId } from '#domain';
import type { VideoFacts } from '../domain/watch-event.js';

/** Asks the video service for videos; those that do not exist are absent from the answer. */
export type FetchVideos = (videoIds: readonly VideoId[]) => Promise<ReadonlyMap<VideoId, VideoFacts>>;

/**
 * Videos by id, remembered: neither owner nor length ever changes, so nothing has to be taken back. The longest
 * remembered is forgotten first. Videos that do not exist are not remembered, since they may yet be registered.
 */
export class VideoDirectory {
  readonly #remembered = new Map<VideoId, VideoFacts>();

  constructor(
    private readonly fetchVideos: FetchVideos,
    private readonly rememberedMax: number,
  ) {}

  /** @returns those of the videos that exist @throws what `fetchVideos` throws when the video service cannot be asked */
  async lookUp(videoIds: readonly VideoId[]): Promise<ReadonlyMap<VideoId, VideoFacts>> {
    const found = new Map<VideoId, VideoFacts>();
    const missing = new Set<VideoId>();
    for (const videoId of videoIds) {
      const facts = this.#remembered.get(videoId);
      if (facts === undefined) missing.add(videoId);
      else found.set(videoId, facts);
    }
    if (missing.size === 0) return found;
    for (const [videoId, facts] of await this.fetchVideos([...missing])) {
      found.set(videoId, facts);
      this.#remember(videoId, facts);
    }
    return found;
  }

  #remember(videoId: VideoId, facts: VideoFacts): void {
    this.#remembered.set(videoId, facts);
    if (this.#remembered.size <= this.rememberedMax) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}
