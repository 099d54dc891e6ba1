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

  /**
   * @returns what is known of video i, undefined when there is no such video
   * @throws what `fetchVideos` throws when the video service cannot be asked
   */
  async lookUp(videoIds: readonly VideoId[]): Promise<(VideoFacts | undefined)[]> {
    const facts = videoIds.map((videoId) => this.#remembered.get(videoId));
    if (!facts.includes(undefined)) return facts;
    const missing = new Set(videoIds.filter((_, index) => facts[index] === undefined));
    const fetched = await this.fetchVideos([...missing]);
    for (const [videoId, each] of fetched) this.#remember(videoId, each);
    return facts.map((each, index) => each ?? fetched.get(videoIds[index]!));
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
