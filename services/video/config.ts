import { z } from 'zod';
import { databaseSettings, serviceSettings } from '#lib/config';

/** Settings of the video service, all from environment variables. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** How long a play waits to learn where its viewer left off, in ms. */
  VIDEO_PROGRESS_DEADLINE_MS: z.coerce.number().int().min(10).max(10_000).default(300),
  /** How often live counters are written to the state store, in ms: what a death of this service may lose. */
  VIDEO_COUNTER_FLUSH_MS: z.coerce.number().int().min(50).max(60_000).default(1_000),
  /** Videos that are remembered; they never change. About 300 bytes each. */
  VIDEO_REMEMBERED: z.coerce.number().int().min(100).max(10_000_000).default(50_000),
});

export type Config = z.infer<typeof configSchema>;
