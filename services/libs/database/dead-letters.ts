import type { Queryable } from './dialect.js';

/** An event that failed for good at one consumer. */
export interface DeadLetter {
  readonly id: string;
  /** The topic that it was published to. */
  readonly type: string;
  readonly data: unknown;
}

const TABLE = 'playbill_events.dead_letter';
const COUNTED_MAX = 1_000;

/**
 * A consumer's dead letters: a subscription that keeps them in the database, where an operator lists and replays them.
 * @param consumer app-id
 */
export function deadLetterInbox(db: Queryable, consumer: string) {
  return {
    topic: `dead-letters.${consumer}`,
    /** Keeps the event; one that has failed again after a replay is open again. */
    async handle({ id, type, data }: DeadLetter): Promise<void> {
      await db.query(
        `INSERT INTO ${TABLE} (consumer, event_id, topic, payload, failed_at) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
         ON DUPLICATE KEY UPDATE failed_at = UTC_TIMESTAMP(3), failures = failures + 1, replayed_at = NULL`,
        [consumer, id, type, JSON.stringify(data ?? null)],
      );
    },
    /** How many wait for an operator, up to 1,000. By the index `open_ones`, which has the consumer as well. */
    async countWaiting(): Promise<number> {
      const [row] = await db.query(
        `SELECT COUNT(*) AS waiting FROM
           (SELECT 1 FROM ${TABLE} WHERE replayed_at IS NULL AND consumer = ? LIMIT ${COUNTED_MAX}) AS open_letters`,
        [consumer],
      );
      return Number(row.waiting);
    },
  };
}
