/** A video's amount (views, or seconds) in a period. */
export interface Ranked {
  readonly videoId: bigint;
  readonly amount: bigint;
}

/** The first `count` of several lists together: the larger amount first, ties to the smaller video id. */
export function firstOf(lists: readonly (readonly Ranked[])[], count: number): Ranked[] {
  return lists.flat().sort(compareRanked).slice(0, count);
}

function compareRanked(a: Ranked, b: Ranked): number {
  if (a.amount !== b.amount) return a.amount > b.amount ? -1 : 1;
  return a.videoId < b.videoId ? -1 : a.videoId > b.videoId ? 1 : 0;
}
