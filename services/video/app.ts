import type { Express } from 'express';
import type { Registry } from 'prom-client';
import { addSubscriptions, type Subscription } from '#lib/dapr';
import { isTransient } from '#lib/database';
import { createServiceApp, Problem } from '#lib/http';
import type { Logger } from '#lib/logging';
import { addRoutes, type RouteOptions } from './adapters/http/routes.js';

export interface AppOptions extends RouteOptions {
  readonly logger: Logger;
  readonly appApiToken: string;
  readonly ready: () => Promise<void>;
  readonly metrics?: Registry;
  readonly subscriptions: readonly Subscription[];
}

/** The video service's calls; it does not listen. */
export function createApp(options: AppOptions): Express {
  const service = createServiceApp(options);
  addRoutes(service.app, options);
  addSubscriptions(service.app, options);
  service.finish((error) =>
    isTransient(error)
      ? new Problem('UNAVAILABLE', { detail: 'The database cannot be reached.', retryAfterSeconds: 1 })
      : undefined,
  );
  return service.app;
}
