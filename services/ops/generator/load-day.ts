import { compareDays, type KstDay } from '#domain';
import { isRetryable } from '#lib/database';
import type { BulkLoader } from '../adapters/bulk-loader.js';
import { type Chunk, chunksOf } from './chunks.js';
import type { GenerateRequest } from './request.js';
import { ROW_COLUMNS } from './row-writer.js';

export interface LoadDayOptions {
  readonly request: GenerateRequest;
  /** The current day in Asia/Seoul. */
  readonly today: KstDay;
  /** One connection each; chunks are loaded by as many at once. */
  readonly loaders: readonly BulkLoader[];
  readonly rowsPerChunk: number;
  /** Called after each commit. */
  readonly onProgress: (loaded: { readonly rows: number; readonly newRows: number }) => void;
}

const ATTEMPTS_MAX = 5;

/**
 * Loads a day's events, chunk by chunk, each in one transaction with the marks that its slices are to be run (again).
 * Events that are there already are left alone, and a chunk that brings nothing new marks nothing; so it may be
 * stopped at any time and repeated.
 * @returns how many events were new
 */
export async function loadDay(options: LoadDayOptions): Promise<{ rows: number; newRows: number }> {
  const chunks = chunksOf(options.request, { rowsMax: options.rowsPerChunk });
  const loaded = { rows: 0, newRows: 0 };
  const loadOneByOne = async (loader: BulkLoader) => {
    for (const chunk of chunks) {
      const newRows = await loadChunk(loader, chunk, options);
      loaded.newRows += newRows;
      loaded.rows += chunk.rows;
      options.onProgress({ ...loaded });
    }
  };
  // A loop that fails ends the shared iterator, so the others stop after the chunk that they are at.
  const outcomes = await Promise.allSettled(options.loaders.map(loadOneByOne));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return loaded;
}

async function loadChunk(loader: BulkLoader, chunk: Chunk, options: LoadDayOptions): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await loader.transaction(async () => {
        const newRows = await loader.load({
          table: 'playbill_watch.watch_event',
          fields: fieldsOf(options.request.day),
          blocks: chunk.blocks,
          rows: chunk.rows,
        });
        if (newRows > 0 && compareDays(options.request.day, options.today) < 0) {
          await markDirty(loader, options.request.day, chunk.slices);
        }
        return newRows;
      });
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isRetryable(error)) throw error;
    }
  }
}

function fieldsOf(day: KstDay): string {
  const columns = ROW_COLUMNS.map((column) => (column === 'event_id' ? '@event_id' : column)).join(', ');
  return `(${columns}) SET day = '${day}', slice = video_id % 64, event_id = UNHEX(@event_id)`;
}

/** Last in its transaction: whoever marks the same slice at the same time waits for the commit only. */
async function markDirty(loader: BulkLoader, day: KstDay, slices: readonly number[]): Promise<void> {
  const rows = slices.map(() => '(?, ?)').join(', ');
  const parameters = slices.flatMap((slice) => [day, slice]);
  await loader.query(`INSERT IGNORE INTO playbill_watch.dirty_slice (day, slice) VALUES ${rows}`, parameters);
}
