import { timingSafeEqual } from 'node:crypto';
import express, { type Express, type RequestHandler } from 'express';
import { Registry } from 'prom-client';
import type { Logger } from '#lib/logging';
import { collectProcessMetrics, traceRequests } from '#lib/telemetry';
import { ENDING } from './ending.js';
import { answerErrors, notFound, Problem } from './problem.js';

export interface ServiceAppOptions {
  readonly logger: Logger;
  /** Token that the sidecar puts into `dapr-api-token`; nobody else knows it. */
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
 * An Express app with what every service answers: /healthz, /readyz, /metrics, and a refusal for anyone who is not
 * this app's sidecar. It does not listen.
 */
export function createServiceApp(options: ServiceAppOptions): ServiceApp {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  const metrics = options.metrics ?? new Registry();
  collectProcessMetrics(metrics);
  app.use(traceRequests({ begins: false }));
  app.get('/healthz', (_req, res) => void res.json({ status: 'ok' }));
  app.get('/readyz', async (_req, res) => {
    const reason = app.enabled(ENDING)
      ? 'the service is ending'
      : await options.ready().then(
          () => undefined,
          (error: Error) => error.message,
        );
    if (reason === undefined) res.json({ status: 'ready' });
    else throw new Problem('UNAVAILABLE', { detail: reason, retryAfterSeconds: 1 });
  });
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

/** Lets only this app's sidecar in: it alone knows the app token. */
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
