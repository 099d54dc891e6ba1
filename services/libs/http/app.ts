import { timingSafeEqual } from 'node:crypto';
import express, { type Express, type RequestHandler } from 'express';
import { Registry } from 'prom-client';
import type { Logger } from '#lib/logging';
import { collectProcessMetrics, traceRequests } from '#lib/telemetry';
import { ENDING } from './ending.js';
import { answerErrors, notFound, Problem } from './problem.js';

export interface ServiceAppOptions {
  readonly logger: Logger;
  /** Token that sidecars put into `dapr-api-token`; the same for all apps of a stack. */
  readonly appApiToken: string;
  /** What must work for this replica to be sent traffic; a rejection's message is shown by /readyz. */
  readonly ready: () => Promise<void>;
  /** Where the service measures what it does; the app adds what every process has. */
  readonly metrics?: Registry;
}

export interface ServiceApp {
  readonly app: Express;
  readonly metrics: Registry;
  /** Adds the answers for unknown paths and for errors; call it when every route is there. */
  finish(translate?: (error: unknown) => Problem | undefined): void;
}

/**
 * An Express app with what every service answers: /healthz, /readyz, /metrics, and a refusal for anyone who does not
 * know the app token. It does not listen.
 */
export function createServiceApp(options: ServiceAppOptions): ServiceApp {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  const metrics = options.metrics ?? new Registry();
  collectProcessMetrics(metrics);
  app.use(traceRequests({ begins: false }));
  addHealth(app, { name: 'the service', ready: options.ready });
  app.get('/metrics', async (_req, res) => void res.type(metrics.contentType).send(await metrics.metrics()));
  app.use(requireSidecar(options.appApiToken));
  return {
    app,
    metrics,
    finish(translate = () => undefined) {
      app.use(notFound);
      app.use(answerErrors(options.logger, translate));
    },
  };
}

/** Adds /healthz (the process answers) and /readyz (it is to be sent traffic: what it needs works, and it is not ending). */
export function addHealth(app: Express, { name, ready }: { name: string; ready: () => Promise<void> }): void {
  app.get('/healthz', (_req, res) => void res.json({ status: 'ok' }));
  app.get('/readyz', async (_req, res) => {
    const state = app.enabled(ENDING) ? Promise.reject(new Error(`${name} is ending`)) : ready();
    await state.catch((error: Error) => {
      throw new Problem('UNAVAILABLE', { detail: error.message, retryAfterSeconds: 1 });
    });
    res.json({ status: 'ready' });
  });
}

/** Lets only those in who know the app token: the sidecars and apps of the stack, and nobody else. */
function requireSidecar(appApiToken: string): RequestHandler {
  const expected = Buffer.from(appApiToken);
  return (req, _res, next) => {
    const given = Buffer.from(req.get('dapr-api-token') ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new Problem('UNAUTHENTICATED', { detail: 'this port serves its sidecar only' });
    }
    next();
  };
}
