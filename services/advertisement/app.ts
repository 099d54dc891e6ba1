import type { Express } from 'express';
import type { Registry } from 'prom-client';
import { addSubscriptions, type Subscription } from '#lib/dapr';
import { isTransient } from '#lib/database';
import { OverloadedError } from '#lib/gather';
import { createServiceApp, Problem } from '#lib/http';
import type { Logger } from '#lib/logging';
import { addRoutes } from './adapters/http/routes.js';
import type { RecordingApplier } from './usecases/apply-recordings.js';

export interface AppOptions {
  readonly logger: Logger;
  readonly appApiToken: string;
  readonly ready: () => Promise<void>;
  readonly metrics?: Registry;
  readonly applier: Pick<RecordingApplier, 'apply'>;
  readonly subscriptions: readonly Subscription[];
}

/** The advertisement service's calls; it does not listen. */
export function createApp(options: AppOptions): Express {
  const service = createServiceApp(options);
  addRoutes(service.app, options.applier);
  addSubscriptions(service.app, options);
  service.finish((error) =>
    error instanceof OverloadedError || isTransient(error)
      ? new Problem('UNAVAILABLE', { detail: 'Ad views cannot be counted now.', retryAfterSeconds: 1 })
      : undefined,
  );
  return service.app;
}
