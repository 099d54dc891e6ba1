import { z } from 'zod';
import { databaseSettings, serviceSettings } from '#lib/config';

/** Settings of the watch-history service, all from environment variables. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** How long the first event of a commit waits for others; five times as long while calls come together. */
  WATCH_GATHER_MS: z.coerce.number().int().min(0).max(1_000).default(3),
  /** Events that are committed together; a bulk call is never divided. */
  WATCH_COMMIT_EVENTS_MAX: z.coerce.number().int().min(1).max(10_000).default(2_000),
  /** Commits at once of this replica. */
  WATCH_COMMITS_MAX: z.coerce.number().int().min(1).max(32).default(2),
  /** Events that may wait for a commit; what comes on top is answered 503. */
  WATCH_WAITING_MAX: z.coerce.number().int().min(1_000).max(1_000_000).default(20_000),
  /** How long a commit is tried again while the primary cannot be reached. */
  WATCH_COMMIT_DEADLINE_MS: z.coerce.number().int().min(100).max(60_000).default(6_000),
  /** Videos that are remembered; they never change. About 150 bytes each. */
  WATCH_VIDEOS_REMEMBERED: z.coerce.number().int().min(100).max(10_000_000).default(150_000),
});

export type Config = z.infer<typeof configSchema>;
