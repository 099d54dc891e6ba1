import type { VideoId } from '#domain';
import type { Queryable } from '#lib/database';
import type { Video } from '../domain/video.js';
import { findVideos } from '../repositories/video-repository.js';

/** Videos by id, remembered since they never change; those that do not exist may yet be registered, and are not. */
export class VideoShelf {
  readonly #remembered = new Map<VideoId, Video>();

  constructor(
    private readonly db: Queryable,
    private readonly rememberedMax: number,
  ) {}

  async find(videoId: VideoId): Promise<Video | undefined> {
    return this.#remembered.get(videoId) ?? (await this.findAll([videoId]))[0];
  }

  /** Those of the videos that exist, in no order. */
  async findAll(videoIds: readonly VideoId[]): Promise<Video[]> {
    const unique = [...new Set(videoIds)];
    const known = unique.flatMap((videoId) => this.#remembered.get(videoId) ?? []);
    const read = await findVideos(
      this.db,
      unique.filter((videoId) => !this.#remembered.has(videoId)),
    );
    for (const video of read) this.remember(video);
    return [...known, ...read];
  }

  remember(video: Video): void {
    this.#remembered.set(video.videoId, video);
    if (this.#remembered.size > this.rememberedMax) this.#remembered.delete(this.#remembered.keys().next().value!);
  }
}
