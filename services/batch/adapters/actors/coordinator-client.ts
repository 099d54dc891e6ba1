import type { KstDay } from '#domain';
import type { Sidecar } from '#lib/dapr';
import type { SliceTask } from '../../domain/run.js';
import type { RunRequest, RunRequestResult } from '../../usecases/request-run.js';
import { COORDINATOR_ID, COORDINATOR_TYPE, type Envelope } from './coordinator-actor.js';
import { PARTITION_TYPE } from './partition-actor.js';

const COORDINATOR_TIMEOUT_MS = 10_000;
const PARTITION_TIMEOUT_MS = 2_000;
const WATCHDOG_PERIOD = '5s';

/** Calls to the actors of the batch service, wherever they live. */
export class ActorClient {
  constructor(private readonly sidecar: Sidecar) {}

  request(request: RunRequest): Promise<Envelope<RunRequestResult>> {
    return this.sidecar.actor(COORDINATOR_TYPE, COORDINATOR_ID, 'request', request, COORDINATOR_TIMEOUT_MS);
  }

  tick(slot: KstDay): Promise<Envelope<{ days: KstDay[] }>> {
    return this.sidecar.actor(COORDINATOR_TYPE, COORDINATOR_ID, 'tick', slot, COORDINATOR_TIMEOUT_MS);
  }

  wake(): Promise<Envelope<null>> {
    return this.sidecar.actor(COORDINATOR_TYPE, COORDINATOR_ID, 'wake', null, PARTITION_TIMEOUT_MS);
  }

  async where(partitionId: string): Promise<string> {
    const place = await this.sidecar.actor<{ worker: string }>(
      PARTITION_TYPE,
      partitionId,
      'where',
      null,
      PARTITION_TIMEOUT_MS,
    );
    return place.worker;
  }

  process(partitionId: string, task: SliceTask): Promise<{ accepted: boolean; worker: string }> {
    return this.sidecar.actor(PARTITION_TYPE, partitionId, 'process', task, PARTITION_TIMEOUT_MS);
  }

  /** The coordinator is woken for ever, so that it goes on after any death. Replaces the reminder that may exist. */
  setWatchdog(): Promise<void> {
    return this.sidecar.setReminder({
      type: COORDINATOR_TYPE,
      id: COORDINATOR_ID,
      name: 'watchdog',
      dueTime: '1s',
      period: WATCHDOG_PERIOD,
    });
  }
}
