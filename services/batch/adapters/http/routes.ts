import { setTimeout as pause } from 'node:timers/promises';
import express, { type Express, type Response } from 'express';
import { z } from 'zod';
import { DomainError, type KstDay, parseKstDay } from '#domain';
import { ERROR_CODES, type ErrorCode, Problem, parseOrRefuse } from '#lib/http';
import { JOBS } from '../../domain/run.js';
import { refreshRunningTop } from '../../usecases/build-tops.js';
import type { Context } from '../../usecases/context.js';
import { reconcile } from '../../usecases/reconcile.js';
import { getRun } from '../../usecases/request-run.js';
import { type RunView, viewRun, viewRuns } from '../../usecases/view-run.js';
import type { ActorClient } from '../actors/coordinator-client.js';

const day = z.string().transform((text, ctx): KstDay => {
  try {
    return parseKstDay(text);
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const RANGE_DAYS_MAX = 400;

const runRequest = z
  .object({ date: day.optional(), from: day.optional(), to: day.optional(), job: z.enum(JOBS).default('daily') })
  .strict()
  .transform((body, ctx) => {
    const [from, to] = [body.date ?? body.from, body.date ?? body.to];
    const isRange = body.from !== undefined && body.to !== undefined && body.from <= body.to;
    if (from === undefined || to === undefined || (body.date === undefined) !== isRange) {
      ctx.addIssue({ code: 'custom', path: ['date'], message: 'give date, or from and to with from ≤ to' });
      return z.NEVER;
    }
    if ((Date.parse(to) - Date.parse(from)) / 86_400_000 >= RANGE_DAYS_MAX) {
      ctx.addIssue({ code: 'custom', path: ['to'], message: `at most ${RANGE_DAYS_MAX} days` });
      return z.NEVER;
    }
    return { from, to, job: body.job };
  });

const cursorQuery = z.object({ cursor: z.coerce.number().int().positive().optional() });
const dateQuery = z.object({ date: day });

export interface RouteOptions {
  readonly context: Context;
  readonly actors: ActorClient;
}

/** The operators' calls of docs/api: runs and reconciliation. */
export function addRoutes(app: Express, { context, actors }: RouteOptions): void {
  const router = express.Router();
  router.post('/v1/ops/runs', async (req, res) => {
    const request = parseOrRefuse(runRequest, req.body ?? {});
    await answerRequest(res, context, await actors.request({ ...request, requestedBy: 'operator' }));
  });
  router.get('/v1/ops/runs', async (req, res) => {
    const { cursor } = parseOrRefuse(cursorQuery, req.query);
    res.json(await viewRuns(context, cursor));
  });
  router.get('/v1/ops/runs/:runId', async (req, res) => void res.json(await requireView(context, req.params.runId)));
  router.get('/v1/ops/runs/:runId/events', async (req, res) => streamRun(context, req.params.runId, res));
  router.get('/v1/ops/reconciliation', async (req, res) => {
    res.json(await reconcile(context, parseOrRefuse(dateQuery, req.query).date));
  });
  router.post('/internal/running-top', async (_req, res) => {
    res.json({ ok: true, ...(await refreshRunningTop(context, Date.now())) });
  });
  app.use(router);
}

type Answer = Awaited<ReturnType<ActorClient['request']>>;

async function answerRequest(res: Response, context: Context, answer: Answer): Promise<void> {
  if (!answer.ok) throw refusal(answer.code, answer.detail);
  const result = answer.data;
  if (result.kind === 'accepted') {
    res.status(202).json({ runId: result.runIds[0], runIds: result.runIds });
  } else if (result.kind === 'active') {
    const detail = `${result.day} is running already`;
    throw new Problem('RUN_ACTIVE', { detail, extra: { runId: result.runId } });
  } else {
    res.json(await viewRun(context, result.run));
  }
}

/** A refusal of the domain as the problem of the same code. */
export function refusal(code: string, detail: string): Problem {
  const known = code in ERROR_CODES ? (code as ErrorCode) : 'INVALID';
  const retry = known === 'UNAVAILABLE' ? { retryAfterSeconds: 1 } : {};
  return new Problem(known, { detail, ...retry });
}

/** Errors of the domain that escaped a route. */
export function translateDomainError(error: unknown): Problem | undefined {
  return error instanceof DomainError ? refusal(error.code, error.message) : undefined;
}

async function requireView(context: Context, runId: string): Promise<RunView> {
  const run = await getRun(context, runId);
  if (run === undefined) throw new Problem('NOT_FOUND', { detail: `no run ${runId}` });
  return viewRun(context, run);
}

const STREAM_INTERVAL_MS = 250;
const isEnded = (view: RunView) => view.state === 'completed' || view.state === 'failed';

/** Sends the run's view whenever it has changed, until the run ends or the client goes. */
async function streamRun(context: Context, runId: string, res: Response): Promise<void> {
  let view = await requireView(context, runId);
  res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  res.flushHeaders();
  let sent = '';
  for (;;) {
    const data = JSON.stringify(view);
    if (data !== sent) res.write(`event: ${view.state}\ndata: ${data}\n\n`);
    sent = data;
    if (isEnded(view) || res.destroyed) break;
    await pause(STREAM_INTERVAL_MS);
    view = await requireView(context, runId);
  }
  res.end();
}
