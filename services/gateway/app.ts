import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { Counter, Histogram, Registry } from 'prom-client';
import type { Verifier } from '#lib/auth';
import type { Route } from '#lib/contract';
import { addHealth, answerErrors, answerOf, notFound } from '#lib/http';
import type { Logger } from '#lib/logging';
import { collectProcessMetrics, traceRequests } from '#lib/telemetry';
import { Admissions, TOO_MUCH } from './adapters/http/admission.js';
import { DOCS_STYLE, renderDocs } from './adapters/http/docs.js';
import type { Forwarder } from './adapters/http/forward.js';
import { createLimits } from './adapters/http/limits.js';
import type { LoopWatch } from './adapters/http/loop-watch.js';
import { describeRoutes } from './adapters/http/openapi.js';
import { createRouter } from './adapters/http/routes.js';
import type { Config } from './config.js';

export interface AppOptions {
  readonly config: Config;
  /** What the scraper of metrics shows. */
  readonly scrapeToken: string;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  readonly verifier: Verifier;
  readonly forwarder: Pick<Forwarder, 'handlerOf'>;
  /** Knows when this process is behind. */
  readonly loop: Pick<LoopWatch, 'isTooMuch'>;
  /** What must work for clients to be served; a rejection's message is shown by /readyz. */
  readonly ready: () => Promise<void>;
}

export interface PublicApp {
  readonly app: Express;
  /** The app behind the refusal of what is too much, for which nothing else is done. */
  readonly listener: RequestListener;
}

/** The public app; it does not listen. */
export function createApp(options: AppOptions): PublicApp {
  const { config, logger, routes, verifier, forwarder, loop } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('case sensitive routing', true);
  app.set('query parser', 'simple');
  app.set('trust proxy', config.GATEWAY_TRUSTED_PROXIES);
  const metrics = createMetrics();
  app.use(metrics.observe, traceRequests({ begins: true }), securityHeaders());
  addOwnRoutes(app, options, metrics.registry);
  const limits = createLimits(config);
  const admissions = new Admissions(routes, config);
  app.use(limits.byAddress, createRouter({ routes, verifier, forwarder, limits, admissions }));
  app.use(
    notFound,
    answerErrors(logger, () => undefined),
  );
  const refuse = refuseTooMuch(metrics.countRefusal);
  const isTooMuch = ({ method, url }: IncomingMessage) =>
    admissions.isFull({ method, url }) || (url?.startsWith('/v1/') === true && loop.isTooMuch());
  return { app, listener: (req, res) => (isTooMuch(req) ? refuse(req, res) : app(req, res)) };
}

/** A refusal that costs next to nothing, so that it can be given to many. */
function refuseTooMuch(onRefusal: (method: string) => void): RequestListener {
  const { status, headers, body } = answerOf(TOO_MUCH, '');
  const head = { ...headers, 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body) };
  return (req, res) => {
    onRefusal(req.method ?? '');
    res.writeHead(status, head).end(body);
  };
}

/** Pages load nothing from anywhere else, and nobody frames them. TLS, if any, is in front of us. */
function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
}

function addOwnRoutes(app: Express, { scrapeToken, routes, ready }: AppOptions, registry: Registry): void {
  addHealth(app, { name: 'the gateway', ready });
  const document = describeRoutes(routes);
  const page = renderDocs(document);
  app.get('/openapi.json', (_req, res) => void res.json(document));
  app.get('/docs', (_req, res) => void res.type('html').send(page));
  app.get('/docs/style.css', (_req, res) => void res.type('css').send(DOCS_STYLE));
  app.get('/metrics', requireScraper(scrapeToken), async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
}

/** This port is public, so metrics need a token, which is good for nothing else; to all others there is nothing here. */
function requireScraper(scrapeToken: string): RequestHandler {
  const expected = Buffer.from(`Bearer ${scrapeToken}`);
  return (req, _res, next) => {
    const given = Buffer.from(req.get('authorization') ?? '');
    const isRight = given.length === expected.length && timingSafeEqual(given, expected);
    next(isRight ? undefined : 'route');
  };
}

function createMetrics(): { registry: Registry; observe: RequestHandler; countRefusal: (method: string) => void } {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const seconds = new Histogram({
    name: 'playbill_gateway_request_seconds',
    help: 'Time from the request to the end of its answer, by route',
    labelNames: ['method', 'route'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const answers = new Counter({
    name: 'playbill_gateway_answers_total',
    help: 'Answers by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  return {
    registry,
    countRefusal: (method) => answers.inc({ method, route: 'none', status: 503 }),
    observe(req, res, next) {
      const startMs = performance.now();
      res.once('close', () => {
        // Paths without a route are the client's invention: they must not become labels.
        const labels = { method: req.method, route: (req.route as { path?: string } | undefined)?.path ?? 'none' };
        seconds.observe(labels, (performance.now() - startMs) / 1_000);
        answers.inc({ ...labels, status: res.statusCode });
      });
      next();
    },
  };
}
