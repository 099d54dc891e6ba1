import { adsOf, type CreatorId, parseVideoId, type VideoId } from '#domain';

/** A registered video. Nothing of it ever changes. */
export interface Video {
  readonly videoId: VideoId;
  readonly creatorId: CreatorId;
  readonly title: string;
  readonly lengthSeconds: number;
}

/** How many advertisements it has. */
export function adsOfVideo({ lengthSeconds }: Video): number {
  return adsOf(lengthSeconds);
}

/** 2020-01-01T00:00:00Z. 41 bits of milliseconds from there last until 2089. */
const EPOCH_MS = 1_577_836_800_000;
const TIE_BITS = 22n;

/**
 * An id for a new video: the time of its registration in ms, then 22 bits that tell those of one millisecond apart.
 * No server has to be asked for it, ids made later are larger, and a request that is sent again gives the same one.
 * @param tie any 22 bits
 */
export function videoIdAt(registeredAtMs: number, tie: number): VideoId {
  return parseVideoId((BigInt(Math.max(1, registeredAtMs - EPOCH_MS)) << TIE_BITS) | BigInt(tie & 0x3f_ff_ff));
}
