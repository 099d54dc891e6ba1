import type { PostingKind, ReasonName } from '#domain';
import { readFixture } from './fixtures.js';

export interface SentEvent {
  eventId: string;
  videoId: string;
  viewer: string;
  playedTime: number;
  lastWatched: number;
  adViewCount: number;
  watchedAt: string;
}
export interface VideoStatistics {
  views: number;
  playTimeSeconds: number;
  adViews: number;
  excluded: Record<string, number>;
}
export interface ExpectedPosting {
  videoId: string;
  kind: PostingKind;
  day: string;
  billedOn: string;
  adjustment: boolean;
  from: string;
  to: string;
  amount: string;
}
export type Step =
  | { do: 'send'; event: SentEvent; answer: { day: string; reason: ReasonName; duplicate: boolean } }
  | { do: 'revoke'; eventIds: string[] }
  | {
      do: 'run';
      day: string;
      today: string;
      statistics: Record<string, VideoStatistics>;
      newPostings: ExpectedPosting[];
    };

/** A whole history, step by step, with every statistic and posting that must result. */
export const scenario = readFixture<{
  videos: Record<string, { creatorId: string; lengthSeconds: number; openingViews: number; openingAds: number }>;
  steps: Step[];
  positions: Record<string, string>;
  ledgerTotal: string;
}>('scenario');
