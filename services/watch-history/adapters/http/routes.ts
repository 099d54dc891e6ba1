import express, { type Express, type Response } from 'express';
import { z } from 'zod';
import { addDays, isCounted, kstDayOf, parseKstDay, reasonName } from '#domain';
import { nameOf, optionalUser, principalOf, requireOperator, requireScope, type Verifier, viewerOf } from '#lib/auth';
import { BODY_BYTES_MAX, ops, videoIdField, viewerField, watch } from '#lib/contract';
import { identifyRequest, Problem, parseOrRefuse, REQUEST_ID_HEADER } from '#lib/http';
import { firstReason } from '../../domain/decide.js';
import type { Revocation } from '../../repositories/revocation-repository.js';
import { Refusal, type StopResult, type StopServices, takeStops } from '../../usecases/take-stops.js';
import { NDJSON_TYPES, readStops } from './read-stops.js';

export interface RouteOptions extends StopServices {
  readonly verifier: Verifier;
  /** Takes note of a revocation, durably. */
  readonly revoke: (revocation: Revocation) => Promise<void>;
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
  const revokeLimit = ops.revokeEvents.bodyBytesMax;
  router.post(
    ops.revokeEvents.path,
    requireOperator(options.verifier),
    express.json({ limit: revokeLimit }),
    async (req, res) => {
      const body = parseOrRefuse(ops.revokeBody, req.body ?? {});
      const revocationId = identifyRequest(req.get(REQUEST_ID_HEADER), options.now()).requestId;
      await options.revoke(revocationOf(body, { revocationId, actor: nameOf(principalOf(res)), nowMs: options.now() }));
      res.status(202).json({ revocationId });
    },
  );
  router.get('/internal/progress', async (req, res) => {
    const viewing = parseOrRefuse(progressQuery, req.query);
    res.json({ ok: true, lastWatched: await options.readProgress(viewing) });
  });
  app.use(router);
}

/** No event is older than the first day of the storage, nor newer than tomorrow. */
const FIRST_DAY = parseKstDay('2000-01-01');

function revocationOf(
  { eventIds, viewer, from, to, reason }: z.infer<typeof ops.revokeBody>,
  { revocationId, actor, nowMs }: { revocationId: string; actor: string; nowMs: number },
): Revocation {
  return {
    revocationId,
    actor,
    reason,
    selection: viewer === undefined ? { eventIds: eventIds! } : { viewer },
    from: from ?? FIRST_DAY,
    to: to ?? addDays(kstDayOf(nowMs), 1),
  };
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
