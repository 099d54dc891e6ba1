import { z } from 'zod';
import { count, id, instant, uuid } from './fields.js';

/** Topic and type of the event below. */
export const WATCH_RECORDED = 'watch.recorded';

/**
 * Data of `watch.recorded`: what one commit of the watch-history service has added, by video. A watch event is part of
 * exactly one recording, so a consumer that applies each recording once has counted each event once. Its JSON Schema
 * is docs/events/watch.recorded.schema.json.
 */
export const watchRecorded = z
  .object({
    recordingId: uuid.meta({ description: 'UUID v7; the id of the CloudEvent' }),
    recordedAt: instant,
    videos: z.array(
      z.object({
        videoId: id,
        ads: count.meta({ description: 'advertisements that the video has' }),
        counted: count.meta({ description: 'events that count' }),
        excluded: count.meta({ description: 'events that do not' }),
        adViews: z
          .array(
            z.object({
              shown: z.int().min(1).meta({ description: 'ad views of each of these events' }),
              counted: count.meta({ description: 'such events that count' }),
              excluded: count.meta({ description: 'such events that do not' }),
            }),
          )
          .meta({ description: 'the events in which advertisements were shown, by how many' }),
      }),
    ),
  })
  .meta({ title: 'watch.recorded', description: 'Watch events that were stored by one commit, summed by video' });

export type WatchRecorded = z.infer<typeof watchRecorded>;
