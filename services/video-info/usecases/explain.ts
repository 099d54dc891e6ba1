import type { KstDay } from '#domain';
import { type ExplainedPosting, type ExplainedSlice, explainSlices } from '../domain/explain.js';
import { creatorOfVideo, postingsOfVideo, readTariffs } from '../repositories/posting-repository.js';
import type { Answer, VersionedReads } from './versioned-reads.js';

export type Explanation =
  | { readonly kind: 'no-video' }
  | { readonly kind: 'not-yours' }
  | { readonly kind: 'postings'; readonly postings: readonly (ExplainedPosting & { slices: ExplainedSlice[] })[] };

/** Cause of a posting that is a day's first settlement. */
const FIRST_SETTLEMENT = 'SETTLEMENT';

/**
 * How the amounts of a video came about: its postings of the day, and those of other days that are billed on it, down
 * to positions, slices and prices. Only for the video's creator.
 */
export async function explain(
  reads: VersionedReads,
  { creatorId, videoId, day }: { creatorId: bigint; videoId: bigint; day: KstDay },
): Promise<Answer<Explanation>> {
  return reads.answer<Explanation>(`explain:${creatorId}:${videoId}:${day}`, async ({ db }) => {
    const owner = await creatorOfVideo(db, videoId);
    if (owner === undefined) return { value: { kind: 'no-video' }, cacheable: false };
    if (owner !== creatorId) return { value: { kind: 'not-yours' }, cacheable: false };
    const stored = await postingsOfVideo(db, { creatorId, videoId, day });
    const tariffs = await readTariffs(db, [...new Set(stored.map((posting) => posting.tariffVersion))]);
    const postings = stored.map((posting) => {
      const tariff = tariffs.get(posting.tariffVersion);
      if (tariff === undefined) throw new Error(`tariff ${posting.tariffVersion} of a posting is not there`);
      const { kind, from, to, amount, billedOn, tariffVersion } = posting;
      return {
        kind,
        day: posting.eventDay,
        billedOn,
        postedAt: posting.postedAtMs === null ? null : new Date(posting.postedAtMs).toISOString(),
        cause: posting.cause ?? FIRST_SETTLEMENT,
        tariffVersion,
        from,
        to,
        slices: explainSlices(tariff.tiers[kind], from, to),
        rounding: tariff.rounding,
        amount,
      };
    });
    return { value: { kind: 'postings', postings }, cacheable: false };
  });
}
