import { WATCH_RECORDED } from '#lib/contract';
import { datetimeToInstant, type Queryable } from '#lib/database';
import { CommandError } from '../errors.js';
import type { OperatorDatabase } from './operator-database.js';

/** An event that a consumer could not use, or not within minutes of trying. */
export interface ListedDeadLetter {
  readonly consumer: string;
  readonly eventId: string;
  readonly topic: string;
  /** RFC 3339. */
  readonly failedAt: string;
  readonly failures: number;
  readonly replayedAt: string | null;
  readonly data: unknown;
}

export interface DeadLetterFilter {
  readonly consumer?: string | undefined;
  readonly eventIds?: readonly string[] | undefined;
  /** Also those that were replayed already. */
  readonly all?: boolean | undefined;
}

interface Row {
  readonly consumer: string;
  readonly event_id: string;
  readonly topic: string;
  readonly failed_at: string;
  readonly failures: number;
  readonly replayed_at: string | null;
  readonly payload: string;
}

const ROWS_MAX = 1_000;

/** The oldest 1,000 that fit. By the index on replayed_at, or the primary key. */
export async function listDeadLetters(db: Queryable, filter: DeadLetterFilter): Promise<ListedDeadLetter[]> {
  const conditions = [
    ...(filter.all === true ? [] : ['replayed_at IS NULL']),
    ...(filter.consumer === undefined ? [] : ['consumer = ?']),
    ...(filter.eventIds === undefined ? [] : [`event_id IN (${filter.eventIds.map(() => '?').join(', ')})`]),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const rows: Row[] = await db.query(
    `SELECT consumer, event_id, topic, failed_at, failures, replayed_at, payload FROM playbill_events.dead_letter
     ${where} ORDER BY failed_at LIMIT ${ROWS_MAX}`,
    [...(filter.consumer === undefined ? [] : [filter.consumer]), ...(filter.eventIds ?? [])],
  );
  return rows.map((row) => ({
    consumer: row.consumer,
    eventId: row.event_id,
    topic: row.topic,
    failedAt: datetimeToInstant(row.failed_at),
    failures: Number(row.failures),
    replayedAt: row.replayed_at === null ? null : datetimeToInstant(row.replayed_at),
    data: JSON.parse(row.payload),
  }));
}

/**
 * Hands dead letters to the outbox in the transaction that marks them: they are published again to their topic, under
 * their old id, so that consumers which have them know them. The outbox is that of watch-history, which may publish
 * `watch.recorded` and would try anything else for ever: what claims to be of another topic is left where it is.
 * @returns what is published again
 * @throws CommandError NOT_FOUND naming an event that is no open dead letter; then nothing is replayed
 */
export async function replayDeadLetters(
  database: OperatorDatabase,
  filter: DeadLetterFilter,
): Promise<ListedDeadLetter[]> {
  return database.primary.transaction(async (tx) => {
    const letters = (await listDeadLetters(tx, filter)).filter(({ topic }) => topic === WATCH_RECORDED);
    const found = new Set(letters.map(({ eventId }) => eventId));
    const missing = filter.eventIds?.find((eventId) => !found.has(eventId));
    if (missing !== undefined) throw new CommandError('NOT_FOUND', `${missing} is no dead letter that can be replayed`);
    for (const { consumer, eventId, topic, data } of letters) {
      await tx.query(
        'INSERT IGNORE INTO playbill_watch.outbox (id, topic, payload, created_at) VALUES (?, ?, ?, UTC_TIMESTAMP(3))',
        [eventId, topic, JSON.stringify(data)],
      );
      await tx.query(
        'UPDATE playbill_events.dead_letter SET replayed_at = UTC_TIMESTAMP(3) WHERE consumer = ? AND event_id = ?',
        [consumer, eventId],
      );
    }
    return letters;
  });
}
