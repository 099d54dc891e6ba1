import {
  type CreatorId,
  daysBetween,
  decideReason,
  isCounted,
  POLICY_V1,
  parseKstDay,
  startOfDayMs,
  type ValidityPolicy,
  type Viewer,
} from '#domain';
import { type CatalogueVideo, catalogueVideo } from './catalogue.js';
import { timeOfDayMs } from './day-curve.js';
import { eventCounts } from './popularity.js';
import { mix, Random } from './random.js';
import type { GenerateRequest } from './request.js';
import { ViewerPool, viewerCount } from './viewers.js';

/** Rows of one video, ascending by watchedAtMs and, which is the same, by event id. Reused by the next batch. */
export class EventBatch {
  rows = 0;
  video!: CatalogueVideo;
  readonly watchedAtMs: Float64Array;
  /** The 26 bits of the event id that follow its instant: 12 of rand_a, 14 of rand_b (RFC 9562, UUID v7). */
  readonly idTie: Uint32Array;
  /** The last 48 bits of the event id, as 16 and 32. */
  readonly idTailHigh: Uint16Array;
  readonly idTailLow: Uint32Array;
  readonly viewer: Viewer[];
  readonly playedSeconds: Uint16Array;
  readonly lastWatchedSeconds: Uint16Array;
  readonly adViews: Uint8Array;
  readonly reason: Uint8Array;

  constructor(rowsMax: number) {
    this.watchedAtMs = new Float64Array(rowsMax);
    this.idTie = new Uint32Array(rowsMax);
    this.idTailHigh = new Uint16Array(rowsMax);
    this.idTailLow = new Uint32Array(rowsMax);
    this.viewer = new Array<Viewer>(rowsMax).fill('' as Viewer);
    this.playedSeconds = new Uint16Array(rowsMax);
    this.lastWatchedSeconds = new Uint16Array(rowsMax);
    this.adViews = new Uint8Array(rowsMax);
    this.reason = new Uint8Array(rowsMax);
  }
}

const BATCH_ROWS = 8_192;
const TIE_VALUES = 2 ** 26;
const EVENT_SALT = 0xe4e27;
const EPOCH = parseKstDay('1970-01-01');

const SELF_VIEW_SHARE = 0.006;
/** Share of events that follow another one of the same video closely, mostly by the same viewer. */
const BURST_SHARE = 0.04;
const BURST_GAP_MAX_MS = 36_000;
const SECONDS_OF_DAY = 86_400;
const DAY_MS = 86_400_000;
const RESERVED_MS = 30_000;

/**
 * Makes the watch events of one day, video by video. A video's events are a function of (seed, day, video, creators,
 * and how many it has); counted or not is decided by the domain's rule in the order of watchedAt.
 */
export class DayEvents {
  readonly counts: Uint32Array;
  private readonly dayNumber: number;
  private readonly startMs: number;
  private readonly policy: ValidityPolicy = POLICY_V1;
  private readonly random = new Random();
  private readonly batch = new EventBatch(BATCH_ROWS);
  private readonly keys = new Float64Array(BATCH_ROWS);
  private readonly pool: ViewerPool;
  /** For which video `latestCountedAtMs` of a viewer holds; spares clearing it for each video. */
  private readonly latestCountedVideo: Int32Array;
  private readonly latestCountedAtMs: Float64Array;
  /** Of the row before, within a video. */
  private viewerBefore = -1;
  private timeBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly request: GenerateRequest) {
    this.dayNumber = daysBetween(EPOCH, request.day);
    this.startMs = startOfDayMs(request.day);
    this.counts = eventCounts(request, this.dayNumber);
    this.pool = new ViewerPool(viewerCount(request.events));
    this.latestCountedVideo = new Int32Array(this.pool.size);
    this.latestCountedAtMs = new Float64Array(this.pool.size);
  }

  /** The video's events in batches, each valid until the next is taken. Take each video once. */
  *batchesOf(videoId: number): Generator<EventBatch, void, undefined> {
    const { request, batch } = this;
    const events = this.counts[videoId - 1]!;
    const video = catalogueVideo(videoId, request.creators);
    this.random.seed(mix(EVENT_SALT, request.seed), this.dayNumber, videoId);
    const parts = Math.ceil(events / BATCH_ROWS);
    batch.video = video;
    this.viewerBefore = -1;
    this.timeBeforeMs = Number.NEGATIVE_INFINITY;
    let lastKey = -1;
    for (let part = 0; part < parts; part += 1) {
      batch.rows = Math.floor(((part + 1) * events) / parts) - Math.floor((part * events) / parts);
      lastKey = this.drawKeys({ part, parts, lastKey });
      this.drawRows(video, events);
      yield batch;
    }
  }

  /**
   * Draws the batch's instants and ties: `keys` becomes strictly ascending, instant of the day (ms) × 2^26 + tie.
   * A part has an equal share of the day's traffic, so that only one part is in memory.
   * @returns the last key
   */
  private drawKeys({ part, parts, lastKey }: { part: number; parts: number; lastKey: number }): number {
    const { random, keys } = this;
    const { rows } = this.batch;
    const endMs = part === parts - 1 ? DAY_MS - 1 : timeOfDayMs((part + 1) / parts);
    let timeMs = 0;
    for (let row = 0; row < rows; row += 1) {
      const isBurst = row > 0 && random.fraction() < BURST_SHARE;
      timeMs = isBurst
        ? Math.min(endMs, timeMs + 500 + random.below(BURST_GAP_MAX_MS))
        : timeOfDayMs((part + random.fraction()) / parts);
      keys[row] = timeMs * TIE_VALUES + (random.uint32() >>> 6);
    }
    keys.subarray(0, rows).sort();
    let last = lastKey;
    for (let row = 0; row < rows; row += 1) {
      last = Math.max(keys[row]!, last + 1);
      keys[row] = last;
    }
    return last;
  }

  /** Draws who watched and how long, and decides what counts. */
  private drawRows(video: CatalogueVideo, events: number): void {
    const { random, batch, keys } = this;
    const creatorId = BigInt(video.creatorId) as CreatorId;
    const selfViewer = `u:${video.creatorId}` as Viewer;
    const naturallyClose = Math.min(1, (events * 30) / SECONDS_OF_DAY);
    const followShare = BURST_SHARE / (BURST_SHARE + naturallyClose);
    for (let row = 0; row < batch.rows; row += 1) {
      const key = keys[row]!;
      const timeMs = Math.floor(key / TIE_VALUES);
      const isFollow = timeMs - this.timeBeforeMs < BURST_GAP_MAX_MS && random.fraction() < followShare;
      const isSelf = !isFollow && random.fraction() < SELF_VIEW_SHARE;
      const viewer = isSelf ? -1 : this.drawViewer(isFollow ? this.viewerBefore : -1, timeMs);
      batch.watchedAtMs[row] = this.startMs + timeMs;
      batch.idTie[row] = key % TIE_VALUES;
      batch.idTailHigh[row] = random.uint32() >>> 16;
      batch.idTailLow[row] = random.uint32();
      batch.viewer[row] = isSelf ? selfViewer : this.pool.viewer(viewer);
      this.drawWatching(row, video);
      batch.reason[row] = this.decide(row, { videoId: video.videoId, creatorId, viewer });
      this.viewerBefore = viewer;
      this.timeBeforeMs = timeMs;
    }
  }

  /**
   * `wanted`, or one of the pool when that is −1; small indices watch most. Only odd viewers watch in the first half
   * minute of a day and only even ones in the last, so that the repeat rule never reaches across midnight.
   */
  private drawViewer(wanted: number, timeMs: number): number {
    let viewer = wanted;
    if (viewer < 0) {
      const fraction = this.random.fraction();
      viewer = Math.floor(fraction * fraction * this.pool.size);
    }
    if (timeMs < RESERVED_MS) return viewer | 1;
    return timeMs >= DAY_MS - RESERVED_MS ? viewer & ~1 : viewer;
  }

  /** Three in ten watch to the end; some of the others resume somewhere. Ads are seen as far as one watches. */
  private drawWatching(row: number, { lengthSeconds, ads }: CatalogueVideo): void {
    const { random, batch } = this;
    const isWhole = random.fraction() < 0.3;
    const played = isWhole ? lengthSeconds + random.below(6) : random.below(lengthSeconds);
    const start = !isWhole && random.fraction() < 0.2 ? random.below(lengthSeconds - played + 1) : 0;
    const shown = Math.min(ads, Math.floor((ads * played) / lengthSeconds));
    batch.playedSeconds[row] = played;
    batch.lastWatchedSeconds[row] = Math.min(lengthSeconds, start + played);
    batch.adViews[row] = shown > 0 && random.fraction() < 0.25 ? shown - 1 : shown;
  }

  private decide(
    row: number,
    { videoId, creatorId, viewer }: { videoId: number; creatorId: CreatorId; viewer: number },
  ): number {
    const { batch } = this;
    const watchedAtMs = batch.watchedAtMs[row]!;
    const isKnown = viewer >= 0 && this.latestCountedVideo[viewer] === videoId;
    const reason = decideReason({
      policy: this.policy,
      viewer: batch.viewer[row]!,
      creatorId,
      watchedAtMs,
      playedSeconds: batch.playedSeconds[row]!,
      latestCountedAtMs: isKnown ? this.latestCountedAtMs[viewer]! : null,
    });
    if (viewer >= 0 && isCounted(reason)) {
      this.latestCountedVideo[viewer] = videoId;
      this.latestCountedAtMs[viewer] = watchedAtMs;
    }
    return reason;
  }
}
