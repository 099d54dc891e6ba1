import { setTimeout as pause } from 'node:timers/promises';
import express, { type Express, type Response } from 'express';
import { DomainError } from '#domain';
import { requireOperator, type Verifier } from '#lib/auth';
import { ops } from '#lib/contract';
import { SidecarError } from '#lib/dapr';
import { isTransient } from '#lib/database';
import { ERROR_CODES, type ErrorCode, Problem, parseOrRefuse } from '#lib/http';
import { refreshRunningTop } from '../../usecases/build-tops.js';
import type { Context } from '../../usecases/context.js';
import { reconcile } from '../../usecases/reconcile.js';
import { getRun } from '../../usecases/request-run.js';
import { type RunView, viewRun, viewRuns } from '../../usecases/view-run.js';
import type { ActorClient } from '../actors/coordinator-client.js';
import { actorOf, addMoneyRoutes, addRerunRoute } from './money-routes.js';

export interface RouteOptions {
  readonly context: Context;
  readonly actors: ActorClient;
  readonly verifier: Verifier;
  /** Ends the streams of events. */
  readonly ending: AbortSignal;
}

/** The operators' calls of docs/api: runs and reconciliation. */
export function addRoutes(app: Express, { context, actors, verifier, ending }: RouteOptions): void {
  const router = express.Router();
  router.use('/v1/ops', requireOperator(verifier));
  router.post('/v1/ops/runs', async (req, res) => {
    const request = parseOrRefuse(ops.requestRun.request.body, req.body ?? {});
    await answerRequest(res, context, await actors.request({ ...request, requestedBy: actorOf(res) }));
  });
  router.get('/v1/ops/runs', async (req, res) => {
    const { cursor } = parseOrRefuse(ops.listRuns.request.query, req.query);
    res.json(await viewRuns(context, cursor));
  });
  router.get('/v1/ops/runs/:runId', async (req, res) => void res.json(await requireView(context, req.params.runId)));
  router.get('/v1/ops/runs/:runId/events', async (req, res) => {
    await streamRun(context, { runId: req.params.runId, res, ending });
  });
  router.get('/v1/ops/reconciliation', async (req, res) => {
    res.json(await reconcile(context, parseOrRefuse(ops.reconciliation.request.query, req.query).date));
  });
  addMoneyRoutes(router, { context, actors });
  addRerunRoute(router, { context, actors });
  router.post('/internal/running-top', async (_req, res) => {
    res.json({ ok: true, ...(await refreshRunningTop(context, context.now())) });
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
export function refusal(code: string, detail: string, extra: Readonly<Record<string, string>> = {}): Problem {
  const known = code in ERROR_CODES ? (code as ErrorCode) : 'INVALID';
  const retry = known === 'UNAVAILABLE' ? { retryAfterSeconds: 1 } : {};
  return new Problem(known, { detail, extra, ...retry });
}

/** A refusal of the domain, or a dependency that is away: errors that escaped a route. */
export function translateError(error: unknown): Problem | undefined {
  if (error instanceof DomainError) return refusal(error.code, error.message, error.details);
  if (isTransient(error)) return refusal('UNAVAILABLE', 'The database cannot be reached.');
  if (error instanceof SidecarError) return refusal('UNAVAILABLE', 'The coordinator cannot be reached.');
  return undefined;
}

async function requireView(context: Context, runId: string): Promise<RunView> {
  const run = await getRun(context, runId);
  if (run === undefined) throw new Problem('NOT_FOUND', { detail: `no run ${runId}` });
  return viewRun(context, run);
}

const STREAM_INTERVAL_MS = 250;
/** A held run stands still until somebody releases its day. */
const isEnded = ({ state }: RunView) => state === 'completed' || state === 'failed' || state === 'held';

interface RunStream {
  readonly runId: string;
  readonly res: Response;
  readonly ending: AbortSignal;
}

/** Sends the run's view whenever it has changed, until the run ends, the client goes, or this replica ends. */
async function streamRun(context: Context, { runId, res, ending }: RunStream): Promise<void> {
  let view = await requireView(context, runId);
  res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  res.flushHeaders();
  let sent = '';
  for (;;) {
    const data = JSON.stringify(view);
    if (data !== sent) res.write(`event: ${view.state}\ndata: ${data}\n\n`);
    sent = data;
    if (isEnded(view) || res.destroyed || ending.aborted) break;
    await pause(STREAM_INTERVAL_MS, undefined, { signal: ending }).catch(() => undefined);
    view = await requireView(context, runId);
  }
  res.end();
}
