import express, { type Express } from 'express';
import type { Verifier } from '#lib/auth';
import { isTransient } from '#lib/database';
import { createServiceApp, Problem } from '#lib/http';
import { addInternalRoutes } from './adapters/http/internal-routes.js';
import { addPublicRoutes } from './adapters/http/public-routes.js';
import type { Context } from './usecases/context.js';

export interface AppOptions {
  readonly context: Context;
  readonly verifier: Verifier;
  readonly opsKey: string;
}

const BODY_LIMIT = '16kb';

/** The user service's Express app; it does not listen. */
export function createApp({ context, verifier, opsKey }: AppOptions): Express {
  const service = createServiceApp({
    logger: context.logger,
    appApiToken: context.config.APP_API_TOKEN,
    ready: async () => void (await context.database.primary.query('SELECT 1')),
  });
  service.app.use(express.json({ limit: BODY_LIMIT }));
  addPublicRoutes(service.app, { context, verifier });
  addInternalRoutes(service.app, { context, verifier, opsKey });
  service.finish(translateError);
  return service.app;
}

function translateError(error: unknown): Problem | undefined {
  if (!isTransient(error)) return undefined;
  return new Problem('UNAVAILABLE', { detail: 'The database does not answer.', retryAfterSeconds: 1 });
}
