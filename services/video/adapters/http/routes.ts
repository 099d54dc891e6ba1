import express, { type Express } from 'express';
import { z } from 'zod';
import type { VideoId, Viewer } from '#domain';
import { optionalUser, requireUser, userOf, type Verifier, viewerOf } from '#lib/auth';
import { BODY_BYTES_MAX, video as contract, videoIdField } from '#lib/contract';
import type { Queryable } from '#lib/database';
import { identifyRequest, Problem, parseOrRefuse, REQUEST_ID_HEADER } from '#lib/http';
import { adsOfVideo, type Video } from '../../domain/video.js';
import { listVideos } from '../../repositories/video-repository.js';
import type { LiveCounters } from '../../usecases/live-counters.js';
import { registerVideo } from '../../usecases/register-video.js';
import type { VideoShelf } from '../../usecases/video-shelf.js';

export interface RouteOptions {
  readonly verifier: Verifier;
  readonly primary: Queryable;
  readonly shelf: VideoShelf;
  readonly counters: Pick<LiveCounters, 'count' | 'read'>;
  /** Where a viewer left off in a video, in seconds. @throws when it is not known in time */
  readonly readProgress: (viewing: { viewer: Viewer; videoId: VideoId }) => Promise<number>;
  readonly now: () => number;
}

const PAGE_VIDEOS = 50;
const FACTS_MAX = 1_000;

/** The public calls of videos, and what other services ask. */
export function addRoutes(app: Express, options: RouteOptions): void {
  const router = express.Router();
  const { verifier, shelf, counters, primary } = options;
  const json = express.json({ limit: BODY_BYTES_MAX });

  router.post('/v1/video', requireUser(verifier), json, async (req, res) => {
    const { title, lengthSeconds } = parseOrRefuse(contract.createVideo.request.body, req.body ?? {});
    const identity = identifyRequest(req.get(REQUEST_ID_HEADER), options.now());
    const video = await registerVideo(primary, { creatorId: userOf(res).userId, title, lengthSeconds }, identity);
    shelf.remember(video);
    res.status(201).json(viewOf(video));
  });

  router.get('/v1/video', requireUser(verifier), async (req, res) => {
    const { cursor } = parseOrRefuse(contract.listVideos.request.query, req.query);
    const page = { creatorId: userOf(res).userId, before: cursor, limit: PAGE_VIDEOS + 1 };
    const videos = await listVideos(primary, page);
    const items = videos.slice(0, PAGE_VIDEOS);
    const nextCursor = videos.length > PAGE_VIDEOS ? String(items.at(-1)!.videoId) : null;
    res.json({ items: items.map(viewOf), nextCursor });
  });

  router.post('/v1/video/play', optionalUser(verifier), json, async (req, res) => {
    const viewer = viewerOf(req, res);
    const { videoId } = parseOrRefuse(contract.playVideo.request.body, req.body ?? {});
    await requireVideo(shelf, videoId);
    counters.count(videoId, { plays: 1, views: 0 });
    const [lastWatched, { plays }] = await Promise.all([
      options.readProgress({ viewer, videoId }).catch(() => 0),
      counters.read(videoId),
    ]);
    res.json({ videoId: String(videoId), lastWatched, plays });
  });

  router.get('/v1/video/:videoId', optionalUser(verifier), async (req, res) => {
    const { videoId } = parseOrRefuse(contract.getVideo.request.params, req.params);
    const video = await requireVideo(shelf, videoId);
    res.json({ ...viewOf(video), ...(await counters.read(videoId)) });
  });

  router.post('/internal/videos', express.json({ limit: '64kb' }), async (req, res) => {
    const { videoIds } = parseOrRefuse(factsRequest, req.body ?? {});
    const videos = await shelf.findAll(videoIds);
    const facts = videos.map(({ videoId, creatorId, lengthSeconds }) => ({
      videoId: String(videoId),
      creatorId: String(creatorId),
      lengthSeconds,
    }));
    res.json({ ok: true, videos: facts });
  });
  app.use(router);
}

const factsRequest = z.object({ videoIds: z.array(videoIdField).max(FACTS_MAX) });

async function requireVideo(shelf: VideoShelf, videoId: VideoId): Promise<Video> {
  const video = await shelf.find(videoId);
  if (video !== undefined) return video;
  const errors = [{ field: 'videoId', message: 'There is no such video.' }];
  throw new Problem('NOT_FOUND', { detail: `There is no video ${videoId}.`, errors });
}

function viewOf(video: Video) {
  return {
    videoId: String(video.videoId),
    creatorId: String(video.creatorId),
    title: video.title,
    lengthSeconds: video.lengthSeconds,
    ads: adsOfVideo(video),
  };
}
