import { z } from 'zod';
import { count, ID, id, instant, isCount, uuid } from './fields.js';

/** Topic and type of the event below. */
export const WATCH_RECORDED = 'watch.recorded';

const recording = z.object({
  recordingId: uuid.meta({ description: 'UUID v7' }),
  recordedAt: instant,
  videos: z.array(
    // Lists, not objects: a commit holds up to thousands of events, and each is copied nine times on its way.
    z.tuple([
      id.meta({ description: 'video id' }),
      count.meta({ description: 'advertisements that the video has' }),
      count.meta({ description: 'events that count' }),
      count.meta({ description: 'events that do not' }),
      z
        .array(
          z.tuple([
            z.int().min(1).meta({ description: 'ad views of each of these events' }),
            count.meta({ description: 'such events that count' }),
            count.meta({ description: 'such events that do not' }),
          ]),
        )
        .meta({ description: 'the events in which advertisements were shown, by how many' }),
    ]),
  ),
});

/** What one commit of the watch-history service has added, by video. */
export type Recording = z.infer<typeof recording>;

/**
 * Data of `watch.recorded`: recordings, in each of them what one commit of the watch-history service has added, by
 * video. A watch event is part of exactly one recording, so a consumer that applies each recording once has counted
 * each event once; a recording may come again, among others. Its JSON Schema is
 * docs/events/watch.recorded.schema.json.
 */
export const watchRecorded = z
  .object({ recordings: z.array(recording).min(1).max(1_000) })
  .meta({ title: 'watch.recorded', description: 'Watch events that were stored, summed by commit and video' });

export type WatchRecorded = z.infer<typeof watchRecorded>;

/**
 * Reads what was published or sent. The release before sent a recording by itself, which is understood as well.
 * @returns the data, or what is wrong with it
 */
export function readWatchRecorded(data: unknown): WatchRecorded | string {
  const isSingle = (data as { recordingId?: unknown } | null | undefined)?.recordingId !== undefined;
  const list = isSingle ? { recordings: [data] } : data;
  if (isWatchRecorded(list)) return list;
  const parsed = watchRecorded.safeParse(list);
  return parsed.success ? parsed.data : parsed.error.message;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Whether it is what `watchRecorded` takes, without anything beside it, told in a tenth of the schema's time; what is
 * not may yet be, and the schema says what is wrong with it.
 */
export function isWatchRecorded(data: unknown): data is WatchRecorded {
  const list = (data as { recordings?: unknown } | null | undefined)?.recordings;
  return Array.isArray(list) && list.length >= 1 && list.length <= 1_000 && list.every(isRecording);
}

function isRecording(value: unknown): boolean {
  const { recordingId, recordedAt, videos } = (value ?? {}) as Record<string, unknown>;
  return isText(recordingId, UUID) && isInstant(recordedAt) && Array.isArray(videos) && videos.every(isRecordedVideo);
}

function isRecordedVideo(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [videoId, ads, counted, excluded, adViews] = value as unknown[];
  const hasCounts = isCount(ads) && isCount(counted) && isCount(excluded);
  return isText(videoId, ID) && hasCounts && Array.isArray(adViews) && adViews.every(isAdViews);
}

function isAdViews(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && value.every(isCount) && value[0]! >= 1;
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

/** In the form in which this project writes instants. */
function isInstant(value: unknown): boolean {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString() === value;
}
