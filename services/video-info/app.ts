import { Counter, Gauge } from 'prom-client';
import { addSubscriptions, type Subscription } from '#lib/dapr';
import type { ReadChoice } from '#lib/database';
import { createServiceApp, type ServiceApp } from '#lib/http';
import type { Logger } from '#lib/logging';
import { addRoutes, type RouteOptions, translateError } from './adapters/http/routes.js';
import type { CacheResult } from './usecases/versioned-reads.js';

export interface AppOptions {
  readonly logger: Logger;
  readonly appApiToken: string;
  readonly ready: () => Promise<void>;
  readonly lags: () => readonly { readonly server: string; readonly lagMs: number | null }[];
}

export interface InfoApp extends ServiceApp {
  readonly onChoice: (server: string, choice: ReadChoice) => void;
  readonly onLookup: (result: CacheResult) => void;
}

/** The HTTP app without its routes, so that what it measures exists before what is measured. Does not listen. */
export function createInfoApp(options: AppOptions): InfoApp {
  const service = createServiceApp(options);
  const reads = new Counter({
    name: 'playbill_reads_total',
    help: 'Reads by the database server that was chosen, and why',
    labelNames: ['server', 'choice'],
    registers: [service.metrics],
  });
  const lookups = new Counter({
    name: 'playbill_cache_lookups_total',
    help: 'Lookups in the cache by their result',
    labelNames: ['result'],
    registers: [service.metrics],
  });
  new Gauge({
    name: 'playbill_replica_lag_seconds',
    help: 'Upper bound of how far a database replica is behind the primary; absent until it is measured',
    labelNames: ['server'],
    registers: [service.metrics],
    collect() {
      this.reset();
      for (const { server, lagMs } of options.lags()) if (lagMs !== null) this.set({ server }, lagMs / 1000);
    },
  });
  return {
    ...service,
    onChoice: (server, choice) => reads.inc({ server, choice }),
    onLookup: (result) => lookups.inc({ result }),
  };
}

export interface InfoRoutes extends RouteOptions {
  readonly logger: Logger;
  readonly subscriptions: readonly Subscription[];
}

/** Adds the routes and subscriptions, and the answers for everything else. */
export function addInfoRoutes(app: InfoApp, options: InfoRoutes): void {
  addRoutes(app.app, options);
  addSubscriptions(app.app, options);
  app.finish(translateError);
}
