import { z } from 'zod';
import { count, id, pageOf, videoIdField } from './fields.js';
import { defineRoute } from './route.js';

const TITLE_CHARACTERS_MAX = 200;
const LENGTH_SECONDS_MAX = 24 * 3_600;

/** Any script and emoji; no control characters, and no halves of characters, which no database could store. */
const title = z
  .string()
  .transform((text) => text.trim())
  .pipe(
    z
      .string()
      .min(1)
      .max(TITLE_CHARACTERS_MAX)
      .refine((text) => !/[\p{Cc}\p{Cs}]/u.test(text), 'Must be text without control characters.'),
  );

const video = z.object({
  videoId: id,
  creatorId: id,
  title: z.string(),
  lengthSeconds: count,
  ads: count.meta({ description: 'how many advertisements it has' }),
});

export const createVideo = defineRoute({
  method: 'post',
  path: '/v1/video',
  appId: 'video',
  auth: 'user',
  summary: 'Register a video',
  request: {
    body: z.object({
      title,
      lengthSeconds: z.int().min(1).max(LENGTH_SECONDS_MAX),
    }),
  },
  responses: { 201: { description: 'the video', body: video } },
});

export const listVideos = defineRoute({
  method: 'get',
  path: '/v1/video',
  appId: 'video',
  auth: 'user',
  summary: "The signed-in creator's videos",
  request: { query: z.object({ creator: z.literal('me'), cursor: videoIdField.optional() }) },
  responses: { 200: { description: 'a page', body: pageOf(video) } },
});

export const getVideo = defineRoute({
  method: 'get',
  path: '/v1/video/{videoId}',
  appId: 'video',
  auth: 'anyone',
  summary: 'A video with its live counters, which are for display only',
  request: { params: z.object({ videoId: videoIdField }) },
  responses: { 200: { description: 'the video', body: video.extend({ plays: count, views: count }) } },
  refusals: ['NOT_FOUND'],
});

export const playVideo = defineRoute({
  method: 'post',
  path: '/v1/video/play',
  appId: 'video',
  auth: 'anyone',
  takesDevice: true,
  summary: 'Where the viewer left off; counts a start',
  request: { body: z.object({ videoId: videoIdField }) },
  responses: {
    200: {
      description: 'where to start, 0 for a first time',
      body: z.object({ videoId: id, lastWatched: count, plays: count }),
    },
  },
  refusals: ['NOT_FOUND'],
});

export const videoRoutes = [createVideo, listVideos, playVideo, getVideo];
