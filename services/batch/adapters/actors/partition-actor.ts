import { AbstractActor } from '@dapr/dapr';
import type { SliceTask } from '../../domain/run.js';
import { services } from './services.js';

export const PARTITION_TYPE = 'PartitionActor';
/** Enough that every replica is the host of some. */
export const PARTITION_IDS = 32;

/** A way to the worker of the replica on which it happens to live. It accepts and returns; the worker computes. */
export class PartitionActor extends AbstractActor {
  /** The replica that this actor lives on. */
  async where(): Promise<{ worker: string }> {
    return { worker: services().context.replica };
  }

  /** Takes a slice for this replica's worker. */
  async process(task: SliceTask): Promise<{ accepted: boolean; worker: string }> {
    return { accepted: services().worker.accept(task), worker: services().context.replica };
  }
}
