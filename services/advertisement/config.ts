import { z } from 'zod';
import { databaseSettings, serviceSettings } from '#lib/config';

/** Settings of the advertisement service, all from environment variables. It runs under two app-ids. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** Which of the two it is: the queue is the first's only. */
  APP_ID: z.enum(['advertisement', 'advertisement-reserve']),
  /**
   * How long the first recording of a commit waits for others, in ms. Nobody waits for the answer; the longer, the
   * more events share a counter's row.
   */
  AD_GATHER_MS: z.coerce.number().int().min(0).max(500).default(200),
  /** Recordings that are committed together. */
  AD_COMMIT_RECORDINGS_MAX: z.coerce.number().int().min(1).max(1_000).default(100),
});

export type Config = z.infer<typeof configSchema>;
