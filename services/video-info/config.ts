import { z } from 'zod';
import { databaseSettings, serviceSettings } from '#lib/config';

/** Settings of the video-info service, all from environment variables. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** A replica that is further behind the primary is not read from while another server can be. */
  INFO_LAG_MAX_MS: z.coerce.number().int().min(100).max(3_600_000).default(5_000),
  /** How long one database server may take for a read before the next one is asked. */
  INFO_READ_DEADLINE_MS: z.coerce.number().int().min(50).max(60_000).default(1_500),
  /** How long a cached answer is kept at most; a new revision drops it at once. */
  INFO_CACHE_SECONDS: z.coerce.number().int().min(1).max(86_400).default(600),
  /** Videos on one page of a bill. */
  INFO_BILL_PAGE_VIDEOS: z.coerce.number().int().min(1).max(1_000).default(100),
});

export type Config = z.infer<typeof configSchema>;
