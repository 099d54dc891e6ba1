import { EXCLUDED_REASONS, type ExcludedReasonName } from '#domain';

/** A video's excluded events of a day. */
export interface Exclusions {
  readonly videoId: bigint;
  readonly creatorId: bigint;
  readonly counts: Readonly<Record<ExcludedReasonName, bigint>>;
}

/** What the videos' exclusions have changed by, of those videos on which they have. */
export function exclusionChanges(before: readonly Exclusions[], after: readonly Exclusions[]): Exclusions[] {
  const were = new Map(before.map((video) => [video.videoId, video]));
  const are = new Map(after.map((video) => [video.videoId, video]));
  return [...new Map([...were, ...are]).values()]
    .map(({ videoId, creatorId }) => ({
      videoId,
      creatorId,
      counts: difference(are.get(videoId)?.counts, were.get(videoId)?.counts),
    }))
    .filter(({ counts }) => EXCLUDED_REASONS.some((reason) => counts[reason] !== 0n));
}

type Counts = Exclusions['counts'];

function difference(after: Counts | undefined, before: Counts | undefined): Counts {
  const of = (reason: ExcludedReasonName) => (after?.[reason] ?? 0n) - (before?.[reason] ?? 0n);
  return Object.fromEntries(EXCLUDED_REASONS.map((reason) => [reason, of(reason)])) as Counts;
}
