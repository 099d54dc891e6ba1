import { compareDays, type KstDay } from './calendar.js';
import { compareIds, type VideoId } from './ids.js';
import { type ExcludedReasonName, isCounted, type ReasonCode, reasonName } from './validity.js';

/** How many events were excluded, by reason; a reason without events is absent. */
export type ExcludedCounts = Readonly<Partial<Record<ExcludedReasonName, number>>>;

/** A video's figures of a day: over counted events, except `excluded`. */
export interface DailyStatistic {
  readonly day: KstDay;
  readonly videoId: VideoId;
  readonly views: number;
  readonly playTimeSeconds: number;
  readonly adViews: number;
  readonly excluded: ExcludedCounts;
}

/** What statistics need of a stored watch event. */
export interface StatisticEvent {
  readonly day: KstDay;
  readonly videoId: VideoId;
  readonly playedSeconds: number;
  readonly adViews: number;
  readonly reason: ReasonCode;
}

type Draft = {
  -readonly [Key in Exclude<keyof DailyStatistic, 'excluded'>]: DailyStatistic[Key];
} & { excluded: Partial<Record<ExcludedReasonName, number>> };

function addEvent(draft: Draft, event: StatisticEvent): void {
  if (isCounted(event.reason)) {
    draft.views += 1;
    draft.playTimeSeconds += event.playedSeconds;
    draft.adViews += event.adViews;
    return;
  }
  const name = reasonName(event.reason) as ExcludedReasonName;
  draft.excluded[name] = (draft.excluded[name] ?? 0) + 1;
}

/**
 * The statistics of every day and video with an event, from scratch, ordered by day and video id: what the database's
 * aggregation must equal. The order of the events does not matter; each event must be given once.
 */
export function aggregate(events: Iterable<StatisticEvent>): DailyStatistic[] {
  const drafts = new Map<string, Draft>();
  for (const event of events) {
    const { day, videoId } = event;
    const key = `${day}/${videoId}`;
    let draft = drafts.get(key);
    if (draft === undefined) {
      draft = { day, videoId, views: 0, playTimeSeconds: 0, adViews: 0, excluded: {} };
      drafts.set(key, draft);
    }
    addEvent(draft, event);
  }
  return [...drafts.values()].sort((a, b) => compareDays(a.day, b.day) || compareIds(a.videoId, b.videoId));
}

export const TOP_VIDEO_COUNT = 5;

export type TopMetric = 'views' | 'playTimeSeconds';

/** One place of a Top 5: `rank` 1 … 5, never shared; both figures over the whole period. */
export interface TopVideo {
  readonly rank: number;
  readonly videoId: VideoId;
  readonly views: number;
  readonly playTimeSeconds: number;
}

/**
 * The first five videos by the metric, over all rows (a video's rows of several days are summed); ties go to the
 * smaller video id. A video without a counted event (`views` 0) has no place; one that was viewed for 0 s has.
 */
export function topFive(
  rows: Iterable<Pick<DailyStatistic, 'videoId' | 'views' | 'playTimeSeconds'>>,
  metric: TopMetric,
): TopVideo[] {
  const totals = new Map<VideoId, { videoId: VideoId; views: number; playTimeSeconds: number }>();
  for (const { videoId, views, playTimeSeconds } of rows) {
    const total = totals.get(videoId);
    if (total === undefined) totals.set(videoId, { videoId, views, playTimeSeconds });
    else {
      total.views += views;
      total.playTimeSeconds += playTimeSeconds;
    }
  }
  return [...totals.values()]
    .filter(({ views }) => views > 0)
    .sort((a, b) => b[metric] - a[metric] || compareIds(a.videoId, b.videoId))
    .slice(0, TOP_VIDEO_COUNT)
    .map((total, index) => ({ rank: index + 1, ...total }));
}
