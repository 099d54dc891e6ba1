import express, { type RequestHandler, type Router } from 'express';
import { ANONYMOUS, optionalUser, requireOperator, requireScope, requireUser, type Verifier } from '#lib/auth';
import { BODY_BYTES_MAX, expressPath, type Route } from '#lib/contract';
import { parseOrRefuse } from '#lib/http';
import type { Admissions } from './admission.js';
import type { Forwarder } from './forward.js';
import { type Limits, limitsOf } from './limits.js';

export interface RouteOptions {
  readonly routes: readonly Route[];
  readonly verifier: Verifier;
  readonly forwarder: Pick<Forwarder, 'handlerOf'>;
  readonly limits: Limits;
  readonly admissions: Pick<Admissions, 'of'>;
}

/** A router of the public calls: each is checked for its caller, its limits and its size, and passed on. */
export function createRouter({ routes, verifier, forwarder, limits, admissions }: RouteOptions): Router {
  const router = express.Router({ caseSensitive: true });
  for (const route of [...routes].sort((a, b) => parametersOf(a) - parametersOf(b))) {
    const admission = admissions.of(route);
    router[route.method](
      expressPath(route),
      guardOf(route, verifier),
      ...limitsOf(route, limits),
      ...(admission === undefined ? [] : [admission.look]),
      ...checksOf(route),
      forwarder.handlerOf(route, admission),
    );
  }
  return router;
}

/** Fixed segments win over parameters. */
function parametersOf({ path }: Route): number {
  return path.split('{').length - 1;
}

function guardOf(route: Route, verifier: Verifier): RequestHandler {
  if (route.ignoresToken === true) return takeNobody;
  const guards = {
    anyone: () => optionalUser(verifier),
    user: () => requireUser(verifier),
    operator: () => requireOperator(verifier),
    ingest: () => requireScope(verifier, 'ingest'),
  };
  return guards[route.auth]();
}

const takeNobody: RequestHandler = (_req, res, next) => {
  res.locals.principal = ANONYMOUS;
  next();
};

/** Parameters become part of a path, so they are checked here; bodies are read whole, so that a slow client waits here. */
function checksOf(route: Route): RequestHandler[] {
  const { params } = route.request ?? {};
  const checks: RequestHandler[] = [];
  if (params !== undefined) {
    checks.push((req, _res, next) => {
      parseOrRefuse(params, req.params);
      next();
    });
  }
  if (route.method === 'post') {
    checks.push(express.raw({ type: () => true, limit: route.bodyBytesMax ?? BODY_BYTES_MAX }));
  }
  return checks;
}
