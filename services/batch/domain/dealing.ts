import type { RunSlice } from './run.js';

/** A replica that can take work. */
export interface Worker {
  readonly name: string;
  readonly slots: number;
}

export interface Deal {
  readonly slice: number;
  /** The epoch that the slice has now; dealing raises it by one. */
  readonly epoch: number;
  readonly worker: string;
}

/** Whether a slice can be handed out: it waits, or its owner's lease has run out. */
export function isDealable(slice: RunSlice): boolean {
  return slice.state === 'waiting' || (slice.state === 'running' && slice.leaseExpired);
}

/**
 * Hands out slices to free slots: the longest first, so that no long slice is left to run alone at the end, and always
 * to the worker with the most free slots, so that all are busy until the last slice.
 */
export function dealSlices(slices: readonly RunSlice[], workers: readonly Worker[]): Deal[] {
  const free = new Map(workers.map((worker) => [worker.name, worker.slots]));
  for (const slice of slices) {
    if (slice.state !== 'running' || slice.leaseExpired || slice.owner === null) continue;
    const slots = free.get(slice.owner);
    if (slots !== undefined) free.set(slice.owner, slots - 1);
  }
  const queue = slices.filter(isDealable).sort((a, b) => b.weight - a.weight || a.slice - b.slice);
  const deals: Deal[] = [];
  for (const { slice, epoch } of queue) {
    const worker = mostFree(free);
    if (worker === undefined) break;
    free.set(worker, free.get(worker)! - 1);
    deals.push({ slice, epoch, worker });
  }
  return deals;
}

function mostFree(free: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  for (const [name, slots] of free) {
    if (slots > 0 && (best === undefined || slots > free.get(best)!)) best = name;
  }
  return best;
}
