import type { Express } from 'express';
import { createServiceApp } from '#lib/http';
import { addRoutes, type RouteOptions, translateError } from './adapters/http/routes.js';

export interface AppOptions extends RouteOptions {
  readonly ready: () => Promise<void>;
}

/** The report service's calls; it does not listen. */
export function createApp(options: AppOptions): Express {
  const { context } = options;
  const service = createServiceApp({
    logger: context.logger,
    appApiToken: context.config.APP_API_TOKEN,
    ready: options.ready,
    metrics: context.metrics.registry,
  });
  addRoutes(service.app, options);
  service.finish(translateError);
  return service.app;
}
