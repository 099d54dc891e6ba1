import { addDays, type KstDay, startOfDayMs } from '#domain';
import type { EventBatch } from './events.js';

const HEX = Buffer.from('0123456789abcdef', 'latin1');
const TAB = 0x09;
const LINE_FEED = 0x0a;
const ZERO = 0x30;
const TWO_24 = 2 ** 24;
const DAY_MS = 86_400_000;
/** More than the longest row: 8 fields, of which the event id has 32, the viewer 38 and the instant 23 characters. */
export const ROW_BYTES_MAX = 160;

/** Columns of a row, in their order; `event_id` as 32 hexadecimal digits, `watched_at` in UTC. */
export const ROW_COLUMNS = [
  'video_id',
  'event_id',
  'viewer',
  'watched_at',
  'played_time',
  'last_watched',
  'ad_view_count',
  'reason',
] as const;

/** Writes events as lines of fields separated by tabs into a buffer, without making a string or object for each. */
export class RowWriter {
  private readonly dates: readonly [Buffer, Buffer];
  /** 00:00 UTC within the Seoul day, which begins at 15:00 UTC of the date before. */
  private readonly midnightUtcMs: number;
  private buffer: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(day: KstDay) {
    this.dates = [Buffer.from(addDays(day, -1), 'latin1'), Buffer.from(day, 'latin1')];
    this.midnightUtcMs = startOfDayMs(day) + 9 * 3_600_000;
  }

  /**
   * Writes rows `from` up to `to` of the batch from `offset` on; each takes at most ROW_BYTES_MAX.
   * @returns the offset after them
   */
  write(target: { buffer: Buffer; offset: number }, batch: EventBatch, rows: { from: number; to: number }): number {
    this.buffer = target.buffer;
    this.at = target.offset;
    for (let row = rows.from; row < rows.to; row += 1) this.writeRow(batch, row);
    return this.at;
  }

  private writeRow(batch: EventBatch, row: number): void {
    const { buffer } = this;
    this.number(batch.video.videoId, TAB);
    this.eventId(batch, row);
    const viewer = batch.viewer[row]!;
    this.at += buffer.write(viewer, this.at, 'latin1');
    buffer[this.at++] = TAB;
    this.instant(batch.watchedAtMs[row]!);
    this.number(batch.playedSeconds[row]!, TAB);
    this.number(batch.lastWatchedSeconds[row]!, TAB);
    this.number(batch.adViews[row]!, TAB);
    this.number(batch.reason[row]!, LINE_FEED);
  }

  /** UUID v7: 48 bits of the instant, version, 12 bits, variant, 62 bits. */
  private eventId(batch: EventBatch, row: number): void {
    const ms = batch.watchedAtMs[row]!;
    const tie = batch.idTie[row]!;
    this.hex(Math.floor(ms / TWO_24), 6);
    this.hex(ms % TWO_24, 6);
    this.hex(0x7000 | (tie >>> 14), 4);
    this.hex(0x8000 | (tie & 0x3fff), 4);
    this.hex(batch.idTailHigh[row]!, 4);
    this.hex(batch.idTailLow[row]!, 8);
    this.buffer[this.at++] = TAB;
  }

  private instant(ms: number): void {
    const { buffer } = this;
    const isFirstDate = ms < this.midnightUtcMs;
    const date = isFirstDate ? this.dates[0] : this.dates[1];
    const time = ms - this.midnightUtcMs + (isFirstDate ? DAY_MS : 0);
    for (let index = 0; index < 10; index += 1) buffer[this.at++] = date[index]!;
    buffer[this.at++] = 0x20;
    const seconds = Math.floor(time / 1_000);
    this.digits(Math.floor(seconds / 3_600), 2);
    buffer[this.at++] = 0x3a;
    this.digits(Math.floor(seconds / 60) % 60, 2);
    buffer[this.at++] = 0x3a;
    this.digits(seconds % 60, 2);
    buffer[this.at++] = 0x2e;
    this.digits(time % 1_000, 3);
    buffer[this.at++] = TAB;
  }

  private number(value: number, end: number): void {
    let width = 1;
    for (let limit = 10; value >= limit; limit *= 10) width += 1;
    this.digits(value, width);
    this.buffer[this.at++] = end;
  }

  private digits(value: number, width: number): void {
    let rest = value;
    for (let index = this.at + width - 1; index >= this.at; index -= 1) {
      this.buffer[index] = ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
    this.at += width;
  }

  private hex(value: number, width: number): void {
    let rest = value;
    for (let index = this.at + width - 1; index >= this.at; index -= 1) {
      this.buffer[index] = HEX[rest & 15]!;
      rest >>>= 4;
    }
    this.at += width;
  }
}
