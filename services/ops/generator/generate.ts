import type { DataSource } from 'typeorm';
import type { KstDay } from '#domain';
import { ensurePartitions } from '#lib/database';
import { BulkLoader } from '../adapters/bulk-loader.js';
import type { OperatorDatabase } from '../adapters/operator-database.js';
import { CommandError } from '../errors.js';
import { loadCatalogue } from './load-catalogue.js';
import { loadDay } from './load-day.js';
import type { GenerateRequest } from './request.js';

export interface GenerateOptions {
  readonly database: OperatorDatabase;
  readonly request: GenerateRequest;
  /** The current day in Asia/Seoul. */
  readonly today: KstDay;
  readonly onProgress?: (loaded: { readonly rows: number; readonly newRows: number }) => void;
  readonly onPhase?: (phase: 'catalogue' | 'events' | 'replicas') => void;
}

export interface GenerateReport {
  readonly day: KstDay;
  readonly events: number;
  readonly newEvents: number;
  readonly videos: number;
  readonly newVideos: number;
  /** Until the last commit on the primary. */
  readonly primary: Throughput;
  /** Until the replica has it all. */
  readonly replicas: readonly ReplicaArrival[];
}

interface Throughput {
  readonly seconds: number;
  readonly rowsPerSecond: number;
}

export type ReplicaArrival =
  | ({ readonly name: string; readonly caughtUp: true } & Throughput)
  | { readonly name: string; readonly caughtUp: false; readonly reason: string };

/** Two loads at once: while one waits for its commit or its next rows, the other inserts. */
const LOADERS = 2;
/** Small enough that replicas begin early and share a day between their threads. */
const ROWS_PER_CHUNK = 25_000;
const REPLICA_WAIT_MS = 600_000;

/**
 * Makes a day of watch events, and the videos that they are of, straight in the primary; then waits until the
 * replicas have it. Safe to stop and to repeat: equal requests make equal rows.
 * @throws CommandError CATALOGUE_DIFFERS, NOT_ALL_STORED
 */
export async function generate(options: GenerateOptions): Promise<GenerateReport> {
  const { database, request, today } = options;
  await ensurePartitions(database.maintenance, request.day, request.day);
  const loaders = await Promise.all(
    Array.from({ length: LOADERS }, () => BulkLoader.connect(database.primaryEndpoint, database.credentials)),
  );
  try {
    options.onPhase?.('catalogue');
    const newVideos = await loadCatalogue({ reader: database.primary, loader: loaders[0]! }, request);
    options.onPhase?.('events');
    const startedMs = performance.now();
    const onProgress = options.onProgress ?? (() => undefined);
    const loaded = await loadDay({ request, today, loaders, rowsPerChunk: ROWS_PER_CHUNK, onProgress });
    if (loaded.rows !== request.events) {
      throw new CommandError('NOT_ALL_STORED', `${loaded.rows} of ${request.events} events were loaded`);
    }
    const primary = throughput(request.events, startedMs);
    options.onPhase?.('replicas');
    const replicas = await arrivals(database, { events: request.events, startedMs });
    const { day, events, videos } = request;
    return { day, events, newEvents: loaded.newRows, videos, newVideos, primary, replicas };
  } finally {
    await Promise.all(loaders.map((loader) => loader.close().catch(() => undefined)));
  }
}

async function arrivals(
  database: OperatorDatabase,
  { events, startedMs }: { events: number; startedMs: number },
): Promise<ReplicaArrival[]> {
  const position = await database.dialect.currentPosition(database.primary);
  return Promise.all(
    database.replicas.map(async ({ name, source }): Promise<ReplicaArrival> => {
      const reason = await waitFor(database, source, position);
      return reason === null
        ? { name, caughtUp: true, ...throughput(events, startedMs) }
        : { name, caughtUp: false, reason };
    }),
  );
}

/** @returns null once the replica has the position, else why it has not */
async function waitFor(database: OperatorDatabase, replica: DataSource, position: string): Promise<string | null> {
  if (!replica.isInitialized) return 'cannot be reached';
  try {
    const isThere = await database.dialect.waitForPosition(replica, position, REPLICA_WAIT_MS);
    return isThere ? null : `still behind after ${REPLICA_WAIT_MS / 1_000} s`;
  } catch (error) {
    return (error as Error).message;
  }
}

function throughput(rows: number, startedMs: number): Throughput {
  const seconds = (performance.now() - startedMs) / 1_000;
  return { seconds: Math.round(seconds * 100) / 100, rowsPerSecond: Math.round(rows / seconds) };
}
