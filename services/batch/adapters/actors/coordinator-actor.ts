import { AbstractActor } from '@dapr/dapr';
import { DomainError, type KstDay } from '#domain';
import { type RunRequest, type RunRequestResult, requestRun } from '../../usecases/request-run.js';
import { actOnTick } from '../../usecases/tick.js';
import { services } from './services.js';

export const COORDINATOR_TYPE = 'CoordinatorActor';
/** The coordinator is a singleton: the actor of this id. */
export const COORDINATOR_ID = 'daily';

/** What crosses an actor call: the SDK loses the bodies of errors, so a refusal is a value. */
export type Envelope<T> =
  | { readonly ok: true; readonly data: T }
  | { readonly ok: false; readonly code: string; readonly detail: string };

/**
 * The one coordinator. Its turns are short: they write to the database and wake the driver of runs, which works
 * outside any turn.
 */
export class CoordinatorActor extends AbstractActor {
  /** The schedule fired for a day's slot; it fires on every replica, and acts once. */
  async tick(slot: KstDay): Promise<Envelope<{ days: KstDay[] }>> {
    return this.#answer(async () => ({ days: await actOnTick(services().context, slot) }));
  }

  /** Somebody asks for runs. */
  async request(request: RunRequest): Promise<Envelope<RunRequestResult>> {
    return this.#answer(() => requestRun(services().context, request));
  }

  /** A slice has ended, or a run was queued. */
  async wake(): Promise<Envelope<null>> {
    return this.#answer(async () => null);
  }

  /** The watchdog: whatever stopped goes on. */
  override async receiveReminder(): Promise<void> {
    services().onWatchdog();
  }

  async #answer<T>(work: () => Promise<T>): Promise<Envelope<T>> {
    try {
      const data = await work();
      services().driver.ensureRunning();
      return { ok: true, data };
    } catch (error) {
      if (error instanceof DomainError) return { ok: false, code: error.code, detail: error.message };
      services().context.logger.error({ err: error }, 'the coordinator could not act');
      return { ok: false, code: 'UNAVAILABLE', detail: 'the coordinator could not act' };
    }
  }
}
