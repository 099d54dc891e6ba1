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
  })
  .meta({ title: 'watch.recorded', description: 'Watch events that were stored by one commit, summed by video' });

export type WatchRecorded = z.infer<typeof watchRecorded>;
