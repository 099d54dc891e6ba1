import type { DataSource } from 'typeorm';
import { preferenceOf } from '#lib/database';
import type { Context } from './context.js';

/** Database replicas that a slice has waited for in vain: the next slices only look, until they have caught up. */
const behind = new WeakSet<DataSource>();

/**
 * The server that a slice is read from: this replica's own database replica when it has reached the position in time,
 * else the next one, else the primary, which always has.
 */
export async function chooseReader(context: Context, position: string): Promise<DataSource> {
  const { database, config, logger } = context;
  for (const replica of inPreferredOrder(database.replicas, context.replica)) {
    if (!replica.isInitialized) continue;
    try {
      const patienceMs = behind.has(replica) ? 0 : config.BATCH_REPLICA_WAIT_MS;
      if (await database.dialect.waitForPosition(replica, position, patienceMs)) {
        behind.delete(replica);
        return replica;
      }
      behind.add(replica);
      logger.warn({ position }, 'database replica is behind, taking the next server');
    } catch (error) {
      logger.warn({ err: error }, 'database replica cannot be read, taking the next server');
    }
  }
  return database.primary;
}

/** This replica's own database replica, then the others. */
export function inPreferredOrder<T>(replicas: readonly T[], name: string): T[] {
  const first = preferenceOf(name);
  return replicas.map((_, i) => replicas[(i + first) % replicas.length]!);
}
