/** A video of a commit: how many ads it has, its events that count and that do not, and those of them that showed ads. */
export type RecordedVideo = readonly [
  videoId: string,
  ads: number,
  counted: number,
  excluded: number,
  adViews: readonly RecordedAdViews[],
];

/** So many events, each with `shown` ad views. */
export type RecordedAdViews = readonly [shown: number, counted: number, excluded: number];
