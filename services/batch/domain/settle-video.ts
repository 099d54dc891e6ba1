import { type KstDay, type PostingKind, planPosting, type Tariff } from '#domain';

/** A video with what settlement compares: the day's counted units, and what is posted for that day already. */
export interface VideoUnits {
  readonly videoId: bigint;
  readonly creatorId: bigint;
  readonly views: bigint;
  readonly adViews: bigint;
  readonly postedViews: bigint;
  readonly postedAdViews: bigint;
}

/** Ends of a video's two chains. */
export interface Position {
  readonly views: bigint;
  readonly ads: bigint;
  readonly viewSeq: number;
  readonly adSeq: number;
  /** Event days of the last postings; null before the first. */
  readonly viewDay: KstDay | null;
  readonly adDay: KstDay | null;
}

/** Where the chains of a video begin that came without a lifetime from before the books opened. */
export const START: Position = { views: 0n, ads: 0n, viewSeq: 0, adSeq: 0, viewDay: null, adDay: null };

export interface Posting {
  readonly eventDay: KstDay;
  readonly billedOn: KstDay;
  readonly creatorId: bigint;
  readonly videoId: bigint;
  readonly kind: PostingKind;
  readonly seq: number;
  /** Event day of the posting before it in its chain; null for the first. */
  readonly previousDay: KstDay | null;
  readonly from: bigint;
  readonly to: bigint;
  readonly amount: bigint;
  readonly tariffVersion: number;
}

/** Whether there is anything to post for the video. */
export function differs(video: VideoUnits): boolean {
  return video.views !== video.postedViews || video.adViews !== video.postedAdViews;
}

export interface SettleVideoInput {
  readonly video: VideoUnits;
  readonly position: Position;
  readonly tariff: Tariff;
  readonly day: KstDay;
  readonly billedOn: KstDay;
}

/** The postings (views before advertisements) that bring a video's chains to its statistics, and where they end then. */
export function settleVideo(input: SettleVideoInput): { postings: Posting[]; position: Position } {
  const { video, tariff } = input;
  const postings: Posting[] = [];
  let position = input.position;
  const view = planPosting({
    tariff,
    kind: 'view',
    position: position.views,
    units: video.views,
    postedUnits: video.postedViews,
  });
  if (view !== null) {
    const [seq, previousDay] = [position.viewSeq + 1, position.viewDay];
    position = { ...position, views: view.to, viewSeq: seq, viewDay: input.day };
    postings.push(postingOf(input, { kind: 'view', seq, previousDay, ...view }));
  }
  const ad = planPosting({
    tariff,
    kind: 'ad',
    position: position.ads,
    units: video.adViews,
    postedUnits: video.postedAdViews,
  });
  if (ad !== null) {
    const [seq, previousDay] = [position.adSeq + 1, position.adDay];
    position = { ...position, ads: ad.to, adSeq: seq, adDay: input.day };
    postings.push(postingOf(input, { kind: 'ad', seq, previousDay, ...ad }));
  }
  return { postings, position };
}

function postingOf(
  { video, tariff, day, billedOn }: SettleVideoInput,
  planned: Pick<Posting, 'kind' | 'seq' | 'previousDay' | 'from' | 'to' | 'amount'>,
): Posting {
  return {
    eventDay: day,
    billedOn,
    creatorId: video.creatorId,
    videoId: video.videoId,
    ...planned,
    tariffVersion: tariff.version,
  };
}
