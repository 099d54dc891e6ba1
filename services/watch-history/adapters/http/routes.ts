import express, { type Express, type Response } from 'express';
import { z } from 'zod';
import { isCounted, reasonName } from '#domain';
import { optionalUser, requireScope, type Verifier, viewerOf } from '#lib/auth';
import { BODY_BYTES_MAX, videoIdField, viewerField, watch } from '#lib/contract';
import { identifyRequest, Problem, parseOrRefuse, REQUEST_ID_HEADER } from '#lib/http';
import { firstReason } from '../../domain/decide.js';
import { Refusal, type StopResult, type StopServices, takeStops } from '../../usecases/take-stops.js';
import { NDJSON_TYPES, readStops } from './read-stops.js';

export interface RouteOptions extends StopServices {
  readonly verifier: Verifier;
  /** Where a viewer left off in a video, in seconds. */
  readonly readProgress: (viewing: { viewer: string; videoId: bigint }) => Promise<number>;
}

/** The public calls of watch events, and what the video service asks. */
export function addRoutes(app: Express, options: RouteOptions): void {
  const router = express.Router();
  router.post(
    '/v1/video/stop',
    optionalUser(options.verifier),
    express.json({ limit: BODY_BYTES_MAX }),
    async (req, res) => {
      const viewer = viewerOf(req, res);
      const stop = parseOrRefuse(watch.stopEvent, req.body ?? {});
      const identity = identifyRequest(req.get(REQUEST_ID_HEADER), options.now());
      const [result] = await takeStops(options, { identity, stops: [{ ...stop, viewer }] });
      answerStop(res, result!);
    },
  );
  const limit = watch.stopVideos.bodyBytesMax;
  router.post(
    '/v1/video/stops',
    requireScope(options.verifier, 'ingest'),
    express.json({ limit }),
    express.text({ limit, type: NDJSON_TYPES }),
    async (req, res) => {
      const identity = identifyRequest(req.get(REQUEST_ID_HEADER), options.now());
      const results = await takeStops(options, { identity, stops: readStops(req) });
      res.json(answerStops(results));
    },
  );
  router.get('/internal/progress', async (req, res) => {
    const viewing = parseOrRefuse(progressQuery, req.query);
    res.json({ ok: true, lastWatched: await options.readProgress(viewing) });
  });
  app.use(router);
}

const progressQuery = z.object({ viewer: viewerField, videoId: videoIdField });

function answerStop(res: Response, result: StopResult): void {
  if (result instanceof Refusal) {
    const { errors, isUnknownVideo } = result;
    const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
    throw new Problem(isUnknownVideo ? 'NOT_FOUND' : 'INVALID', { detail, errors });
  }
  const { event, outcome } = result;
  const reason = firstReason(outcome.reason);
  res.status(outcome.duplicate ? 200 : 201).json({
    eventId: event.eventId,
    day: event.day,
    counted: isCounted(reason),
    reason: reasonName(reason),
    duplicate: outcome.duplicate,
  });
}

function answerStops(results: readonly StopResult[]) {
  const counts = { accepted: 0, duplicate: 0, rejected: 0 };
  const answers = results.map((result) => {
    const status = result instanceof Refusal ? 'rejected' : result.outcome.duplicate ? 'duplicate' : 'accepted';
    counts[status] += 1;
    if (result instanceof Refusal) return { eventId: result.eventId, status, errors: result.errors };
    return { eventId: result.event.eventId, status, reason: reasonName(firstReason(result.outcome.reason)) };
  });
  return { accepted: counts.accepted, duplicates: counts.duplicate, rejected: counts.rejected, results: answers };
}
