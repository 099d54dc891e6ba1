import { z } from 'zod';
import { databaseSettings, serviceSettings } from '#lib/config';
import { KEEP_DAYS_MIN } from './domain/retention.js';

/** Settings of the batch service, all from environment variables. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** Slices that this replica computes at once: one runs on the database while the next is read or written. */
  BATCH_WORKER_SLOTS: z.coerce.number().int().min(1).max(32).default(2),
  /** How long a slice stays a worker's without a sign of life. */
  BATCH_LEASE_MS: z.coerce.number().int().min(500).max(600_000).default(6_000),
  /** Videos whose postings are committed together. */
  BATCH_SETTLEMENT_CHUNK_VIDEOS: z.coerce.number().int().min(1).max(20_000).default(2_000),
  /** How long a reader waits for its replica to reach a run's position before it takes another server. */
  BATCH_REPLICA_WAIT_MS: z.coerce.number().int().min(0).max(600_000).default(3_000),
  /** Raw events older than this are dropped every night, once their days are settled; 0 keeps them for ever. */
  BATCH_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(36_500)
    .refine((days) => days === 0 || days >= KEEP_DAYS_MIN, `0, or at least ${KEEP_DAYS_MIN}`)
    .default(0),
  /** Times a slice may end in an error that is not the infrastructure's before its run fails. */
  BATCH_SLICE_ATTEMPTS_MAX: z.coerce.number().int().min(1).max(100).default(5),
  /** Age of the running day's Top 5 beyond which somebody who asks for it has it built anew. */
  BATCH_RUNNING_TOP_MS: z.coerce.number().int().min(0).max(3_600_000).default(10_000),
});

export type Config = z.infer<typeof configSchema>;
