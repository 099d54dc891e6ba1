import { SLICE_COUNT } from '#domain';
import { DayEvents } from './events.js';
import type { GenerateRequest } from './request.js';
import { ROW_BYTES_MAX, RowWriter } from './row-writer.js';

/** A part of a day's rows that is loaded in one transaction. */
export interface Chunk {
  readonly rows: number;
  /** Every slice that has a row in it. */
  readonly slices: readonly number[];
  /** Its lines, in order. */
  readonly blocks: readonly Buffer[];
}

export interface ChunkOptions {
  readonly rowsMax: number;
  readonly blockBytes?: number;
}

const BLOCK_BYTES = 1 << 20;

/**
 * The rows of a day in the order of the table's key (slice, video, event id), in chunks of `rowsMax` (the last may
 * have fewer). Only the chunk at hand is in memory.
 */
export function* chunksOf(request: GenerateRequest, options: ChunkOptions): Generator<Chunk, void, undefined> {
  const events = new DayEvents(request);
  const builder = new ChunkBuilder(new RowWriter(request.day), options);
  for (let slice = 0; slice < SLICE_COUNT; slice += 1) {
    for (let videoId = slice === 0 ? SLICE_COUNT : slice; videoId <= request.videos; videoId += SLICE_COUNT) {
      for (const batch of events.batchesOf(videoId)) {
        let from = 0;
        while (from < batch.rows) {
          from = builder.add(batch, { from, slice });
          if (builder.isFull) yield builder.take();
        }
      }
    }
  }
  if (builder.rows > 0) yield builder.take();
}

class ChunkBuilder {
  rows = 0;
  private blocks: Buffer[] = [];
  private slices = new Set<number>();
  private block: Buffer;
  private offset = 0;
  private readonly rowsMax: number;
  private readonly blockBytes: number;

  constructor(
    private readonly writer: RowWriter,
    options: ChunkOptions,
  ) {
    this.rowsMax = options.rowsMax;
    this.blockBytes = options.blockBytes ?? BLOCK_BYTES;
    this.block = Buffer.allocUnsafeSlow(this.blockBytes);
  }

  get isFull(): boolean {
    return this.rows === this.rowsMax;
  }

  /** Writes rows of the batch as far as they fit into the chunk and the block. @returns the row to go on with */
  add(batch: Parameters<RowWriter['write']>[1], { from, slice }: { from: number; slice: number }): number {
    const fitting = Math.floor((this.blockBytes - this.offset) / ROW_BYTES_MAX);
    const to = Math.min(batch.rows, from + fitting, from + this.rowsMax - this.rows);
    this.offset = this.writer.write({ buffer: this.block, offset: this.offset }, batch, { from, to });
    this.rows += to - from;
    if (to > from) this.slices.add(slice);
    if (this.blockBytes - this.offset < ROW_BYTES_MAX) this.endBlock();
    return to;
  }

  take(): Chunk {
    this.endBlock();
    const chunk = { rows: this.rows, slices: [...this.slices], blocks: this.blocks };
    this.rows = 0;
    this.slices = new Set();
    this.blocks = [];
    return chunk;
  }

  private endBlock(): void {
    if (this.offset > 0) this.blocks.push(this.block.subarray(0, this.offset));
    this.block = Buffer.allocUnsafeSlow(this.blockBytes);
    this.offset = 0;
  }
}
