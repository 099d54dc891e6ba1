import type { Express } from 'express';
import { SidecarError } from '#lib/dapr';
import { isTransient } from '#lib/database';
import { OverloadedError } from '#lib/gather';
import { createServiceApp, Problem } from '#lib/http';
import type { Logger } from '#lib/logging';
import { addRoutes, type RouteOptions } from './adapters/http/routes.js';

export interface AppOptions extends RouteOptions {
  readonly logger: Logger;
  readonly appApiToken: string;
  readonly ready: () => Promise<void>;
}

/** The watch-history service's calls; it does not listen. */
export function createApp(options: AppOptions): Express {
  const service = createServiceApp({ ...options, metrics: options.metrics.registry });
  addRoutes(service.app, options);
  service.finish(translate);
  return service.app;
}

const RETRY_AFTER_SECONDS = 1;

/** Nothing was stored, or it is not known: the same events may be sent again. */
function translate(error: unknown): Problem | undefined {
  if (error instanceof OverloadedError) {
    return new Problem('UNAVAILABLE', {
      detail: 'Too many events are waiting.',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (error instanceof SidecarError) {
    return new Problem('UNAVAILABLE', {
      detail: 'Videos cannot be looked up.',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (isTransient(error)) {
    return new Problem('UNAVAILABLE', { detail: 'Events cannot be stored.', retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
  return undefined;
}
