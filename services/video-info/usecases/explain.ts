import { explainPosting, type KstDay, type PostingExplanation } from '#domain';
import {
  creatorOfVideo,
  type PricedTariff,
  postingsOfVideo,
  readTariffs,
  type StoredPosting,
} from '../repositories/posting-repository.js';
import type { Answer, VersionedReads } from './versioned-reads.js';

export interface ExplainedPosting extends StoredPosting {
  readonly rounding: PricedTariff['rounding'];
  readonly slices: PostingExplanation['slices'];
}

export type Explanation =
  | { readonly kind: 'no-video' }
  | { readonly kind: 'not-yours' }
  | { readonly kind: 'postings'; readonly postings: readonly ExplainedPosting[] };

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
    const postings = stored.map((posting) => explained(posting, tariffs.get(posting.tariffVersion)));
    return { value: { kind: 'postings', postings }, cacheable: false };
  });
}

function explained(posting: StoredPosting, tariff: PricedTariff | undefined): ExplainedPosting {
  if (tariff === undefined) throw new Error(`tariff ${posting.tariffVersion} of a posting is not there`);
  const { slices } = explainPosting(
    { rounding: tariff.rounding, ...tariff.tiers },
    posting.kind,
    posting.from,
    posting.to,
  );
  return { ...posting, rounding: tariff.rounding, slices };
}
