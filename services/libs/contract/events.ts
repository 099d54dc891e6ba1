import { z } from 'zod';
import type { RecordedAdViews, RecordedVideo } from '#domain';
import { count, id, instant, uuid } from './fields.js';

/** Topic and type of the event below. */
export const WATCH_RECORDED = 'watch.recorded';

/** What one commit of the watch-history service has added, by video. */
export interface Recording {
  readonly recordingId: string;
  readonly recordedAt: string;
  readonly videos: readonly RecordedVideo[];
}

// Fifteen digits are always a safe integer.
const COUNT = '(?:0|[1-9][0-9]{0,14})';
const AD_VIEWS = `[1-9][0-9]{0,14},${COUNT},${COUNT}`;
const VIDEO = `[1-9][0-9]{0,18}(?:,${COUNT}){3}(?:,${AD_VIEWS})*`;
const VIDEOS = new RegExp(`^(?:${VIDEO}(?:;${VIDEO})*)?$`);

const videosText = z
  .string()
  .regex(VIDEOS)
  .meta({
    description:
      'videos, divided by semicolons: video id, advertisements that the video has, events that count, events that do not, ' +
      'and for the events in which advertisements were shown, by how many: ad views of each of these events, such events ' +
      'that count, such events that do not',
    example: '4711,3,2,1,1,2,0,3,0,1;4712,0,1,0',
  });

/** The form of the release before. */
const videosList = z.array(
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
);

const recording = z.object({
  recordingId: uuid.meta({ description: 'UUID v7' }),
  recordedAt: instant,
  // A commit holds up to thousands of events, and what it adds is read and written by eight processes on its way. A text
  // costs each of them a tenth of what lists do.
  videos: z.union([videosText, videosList]),
});

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

/** Writes the videos of a recording as `watchRecorded` has them. */
export function writeVideos(videos: readonly RecordedVideo[]): string {
  return videos.map((video) => video.flat().join(',')).join(';');
}

export interface ReadOptions {
  /** Recordings that the reader knows are left out, unread. */
  readonly isKnown?: (recordingId: string) => boolean;
}

/**
 * Reads what was published or sent. The release before sends recordings one by one, with lists of videos, which is
 * understood as well.
 * @returns the recordings, or what is wrong with the data
 */
export function readWatchRecorded(data: unknown, { isKnown = () => false }: ReadOptions = {}): Recording[] | string {
  const isSingle = (data as { recordingId?: unknown } | null | undefined)?.recordingId !== undefined;
  const parsed = watchRecorded.safeParse(isSingle ? { recordings: [data] } : data);
  if (!parsed.success) return parsed.error.message;
  return parsed.data.recordings
    .filter(({ recordingId }) => !isKnown(recordingId))
    .map((each) => ({ ...each, videos: typeof each.videos === 'string' ? readVideos(each.videos) : each.videos }));
}

/** The text has the form of VIDEOS. */
function readVideos(text: string): RecordedVideo[] {
  return text === '' ? [] : text.split(';').map(readVideo);
}

function readVideo(text: string): RecordedVideo {
  const idEnd = text.indexOf(',');
  const numbers = readNumbers(text, idEnd + 1);
  const adViews: RecordedAdViews[] = [];
  for (let at = 3; at < numbers.length; at += 3) adViews.push([numbers[at]!, numbers[at + 1]!, numbers[at + 2]!]);
  return [text.slice(0, idEnd), numbers[0]!, numbers[1]!, numbers[2]!, adViews];
}

const ZERO = '0'.charCodeAt(0);

/** Numbers that are divided by commas: digit by digit, at a quarter of the cost of cutting the text up. */
function readNumbers(text: string, from: number): number[] {
  const numbers: number[] = [];
  let number = 0;
  for (let at = from; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0) {
      number = number * 10 + digit;
    } else {
      numbers.push(number);
      number = 0;
    }
  }
  numbers.push(number);
  return numbers;
}
