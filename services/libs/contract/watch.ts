import { z } from 'zod';
import { DomainError, parseEventId, parseInstant, parseVideoId, parseViewer } from '#domain';
import {
  count,
  countField,
  day,
  eventIdField,
  instantField,
  isCount,
  uuid,
  videoIdField,
  viewerField,
} from './fields.js';
import { defineRoute } from './route.js';

export const EVENTS_PER_CALL_MAX = 1_000;
const BULK_BYTES_MAX = 4 * 1024 * 1024;

const reason = z.enum(['COUNTED', 'SELF_VIEW', 'REPEAT', 'TOO_SHORT', 'REVOKED']);

/** What a player reports of one stop. What the numbers may be depends on the video: rules.md, watch events. */
export const stopEvent = z.object({
  videoId: videoIdField,
  playedTime: countField.meta({ description: 'seconds played' }),
  lastWatched: countField.meta({ description: 'seconds into the video' }),
  adViewCount: countField,
  eventId: eventIdField.optional(),
  watchedAt: instantField.optional(),
});

/** One of many: as above, with the viewer that the client vouches for. */
export const bulkEvent = stopEvent.extend({ viewer: viewerField });

/**
 * What `bulkEvent` makes of an event that is as it should be, in a tenth of the schema's time.
 * @returns undefined for any other: then the schema says what is wrong
 */
export function readBulkEvent(value: unknown): z.infer<typeof bulkEvent> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { videoId, viewer, playedTime, lastWatched, adViewCount, eventId, watchedAt } = value as Record<
    string,
    unknown
  >;
  if (!isCount(playedTime) || !isCount(lastWatched) || !isCount(adViewCount)) return undefined;
  try {
    return {
      videoId: parseVideoId(videoId),
      viewer: parseViewer(viewer),
      playedTime,
      lastWatched,
      adViewCount,
      eventId: eventId === undefined ? undefined : parseEventId(eventId),
      watchedAt: watchedAt === undefined ? undefined : parseInstant(watchedAt),
    };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return undefined;
  }
}

export const stopVideo = defineRoute({
  method: 'post',
  path: '/v1/video/stop',
  appId: 'watch-history',
  auth: 'anyone',
  takesDevice: true,
  summary: 'Record that a viewer stopped watching',
  request: { body: stopEvent },
  responses: {
    201: {
      description: 'recorded for good',
      body: z.object({ eventId: uuid, day, counted: z.boolean(), reason, duplicate: z.literal(false) }),
    },
    200: {
      description: 'recorded before; the first answer again',
      body: z.object({ eventId: uuid, day, counted: z.boolean(), reason, duplicate: z.literal(true) }),
    },
  },
  refusals: ['NOT_FOUND'],
});

export const stopVideos = defineRoute({
  method: 'post',
  path: '/v1/video/stops',
  appId: 'watch-history',
  auth: 'ingest',
  summary: 'Record many stops; each is answered by itself',
  request: {
    body: z.object({ events: z.array(bulkEvent).max(EVENTS_PER_CALL_MAX) }),
    bodyAlsoAs: ['application/x-ndjson'],
  },
  responses: {
    200: {
      description: 'what became of each event, in their order',
      body: z.object({
        accepted: count,
        duplicates: count,
        rejected: count,
        results: z.array(
          z.object({
            eventId: z.string().nullable(),
            status: z.enum(['accepted', 'duplicate', 'rejected']),
            reason: z.string().optional(),
            errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
          }),
        ),
      }),
    },
  },
  bodyBytesMax: BULK_BYTES_MAX,
});

export const watchRoutes = [stopVideo, stopVideos];
