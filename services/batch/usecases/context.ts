import type { KstDay } from '#domain';
import type { Sidecar } from '#lib/dapr';
import type { Database } from '#lib/database';
import type { Logger } from '#lib/logging';
import type { RunMetrics } from '#lib/telemetry';
import type { Config } from '../config.js';

/** What every use case of this replica works with. */
export interface Context {
  readonly config: Config;
  readonly database: Database;
  readonly sidecar: Sidecar;
  readonly logger: Logger;
  readonly metrics: RunMetrics;
  /** This replica's name; the owner of its slices. */
  readonly replica: string;
  /** Milliseconds since 1970, by the primary's clock. */
  readonly now: () => number;
  /** Today in Asia/Seoul. */
  readonly today: () => KstDay;
  /** Makes sure that the days up to a week ahead have their partitions of watch_event. */
  readonly preparePartitions: () => Promise<void>;
  /** Drops the partitions of watch_event whose days are all before the given one. */
  readonly dropPartitions: (before: KstDay) => Promise<void>;
  /** The day that the rest begins with when partitions are dropped before the given one; undefined when none can be. */
  readonly lastPartitionBound: (day: KstDay) => Promise<KstDay | undefined>;
  /** Looks for messages to publish now. */
  readonly wakeOutbox: () => void;
}

export const OUTBOX = 'playbill_batch.outbox';
