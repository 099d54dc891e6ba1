import { Loop } from '#lib/loop';
import { currentTraceparent, inTrace, type OutboxState } from '#lib/telemetry';
import { uuidv7 } from './uuidv7.js';

interface Queryable {
  // biome-ignore lint/suspicious/noExplicitAny: rows have the shape of the statement
  query(sql: string, parameters?: unknown[]): Promise<any>;
}

/** A message that is published after the transaction which wrote it has committed. */
export interface OutboxMessage {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Writes a message into an outbox table within the caller's transaction, with the trace that it belongs to. */
export async function writeOutbox(tx: Queryable, table: string, message: OutboxMessage): Promise<void> {
  await tx.query(
    `INSERT INTO ${table} (id, topic, payload, traceparent, created_at) VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))`,
    [uuidv7(), message.topic, JSON.stringify(message.payload), currentTraceparent() ?? null],
  );
}

const COUNTED_MAX = 1_000;

/**
 * What waits in an outbox table: rows up to 1,000, and the age of the oldest of them. Reads so many rows along the primary
 * key, whose ids grow with time.
 */
export async function readOutboxState(
  db: Queryable,
  { table, key = 'id' }: { table: string; key?: string },
): Promise<OutboxState> {
  const [state] = await db.query(
    `SELECT COUNT(*) AS waiting, COALESCE(TIMESTAMPDIFF(SECOND, MIN(created_at), UTC_TIMESTAMP(3)), 0) AS oldest
     FROM (SELECT created_at FROM ${table} ORDER BY ${key} LIMIT ${COUNTED_MAX}) AS first_ones`,
  );
  return { rows: Number(state.waiting), oldestSeconds: Number(state.oldest) };
}

export interface OutboxRelayOptions {
  /** Runs `work` in a transaction on the primary. */
  readonly transaction: <T>(work: (tx: Queryable) => Promise<T>) => Promise<T>;
  readonly table: string;
  readonly publish: (topic: string, event: { id: string; data: unknown }) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const BATCH_ROWS = 100;
const IDLE_INTERVAL_MS = 1_000;

/**
 * Publishes the messages of an outbox table in their order, at least once each: a message is deleted in the
 * transaction that holds its lock while it is published. Several relays share a table without waiting for each other.
 */
export class OutboxRelay {
  readonly #loop: Loop;

  constructor(private readonly options: OutboxRelayOptions) {
    this.#loop = new Loop({
      work: async () => (await this.#relayOnce()) === BATCH_ROWS,
      intervalMs: IDLE_INTERVAL_MS,
      onError: options.onError,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Looks now instead of at the next interval. */
  wake(): void {
    this.#loop.wake();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #relayOnce(): Promise<number> {
    const { table, transaction, publish } = this.options;
    return transaction(async (tx) => {
      const rows: { id: string; topic: string; payload: unknown; traceparent: string | null }[] = await tx.query(
        `SELECT id, topic, payload, traceparent FROM ${table} ORDER BY id LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED`,
      );
      for (const row of rows) {
        const data = typeof row.payload === 'string' ? JSON.parse(row.payload) : row.payload;
        await inTrace(row.traceparent ?? undefined, () => publish(row.topic, { id: row.id, data }));
      }
      if (rows.length > 0) {
        const marks = rows.map(() => '?').join(', ');
        await tx.query(
          `DELETE FROM ${table} WHERE id IN (${marks})`,
          rows.map((row) => row.id),
        );
      }
      return rows.length;
    });
  }
}
