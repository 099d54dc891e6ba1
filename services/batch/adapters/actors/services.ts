import type { Context } from '../../usecases/context.js';
import type { RunDriver } from '../../usecases/run-driver.js';
import type { SliceWorker } from '../../usecases/slice-worker.js';

/** What actors reach: the SDK makes them itself and hands them nothing of ours. */
export interface ActorServices {
  readonly context: Context;
  readonly driver: RunDriver;
  readonly worker: SliceWorker;
  readonly onWatchdog: () => void;
}

let current: ActorServices | undefined;

/** Sets what this process's actors work with; before the sidecar can call them. */
export function provideServices(services: ActorServices): void {
  current = services;
}

export function services(): ActorServices {
  if (current === undefined) throw new Error('actors were called before their services were provided');
  return current;
}
