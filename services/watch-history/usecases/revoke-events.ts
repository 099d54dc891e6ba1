import type { DataSource } from 'typeorm';
import { addDays, type KstDay } from '#domain';
import { inTransaction } from '#lib/database';
import type { Logger } from '#lib/logging';
import { Loop } from '#lib/loop';
import {
  affectedDays,
  type CountedEvent,
  claimRevocation,
  findCounted,
  finishRevocation,
  firstEventDay,
  insertRevocation,
  type OpenRevocation,
  type Revocation,
  recordEffects,
  revokeCounted,
  saveProgress,
} from '../repositories/revocation-repository.js';

/** Records a revocation durably; a worker of any replica does it. */
export async function requestRevocation(primary: DataSource, revocation: Revocation): Promise<void> {
  await inTransaction(primary, (tx) => insertRevocation(tx, revocation));
}

export interface RevocationWorkerOptions {
  readonly primary: DataSource;
  readonly logger: Logger;
  /** Has the days run again; called until it succeeds. */
  readonly rerun: (days: readonly KstDay[], requestedBy: string) => Promise<void>;
}

const LOOK_INTERVAL_MS = 1_000;
/** A day of many millions of events is scanned well within this. */
const LEASE_MS = 60_000;
/** What a failure waits for before it is tried again, by whichever replica. */
const RETRY_MS = 2_000;
const EVENTS_PER_COMMIT = 500;

/**
 * Does what revocations ask for: goes through their days, makes the counted events revoked with the marks of their
 * slices in one transaction, and has the days run again. What a dead replica left is taken up by another where it was.
 */
export class RevocationWorker {
  #stopping = false;
  readonly #loop: Loop;

  constructor(private readonly options: RevocationWorkerOptions) {
    this.#loop = new Loop({
      work: () => this.#workOnNext(),
      intervalMs: LOOK_INTERVAL_MS,
      onError: (error) => options.logger.warn({ err: error }, 'revocations cannot be read, trying again'),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Looks now instead of at the next interval. */
  wake(): void {
    this.#loop.wake();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop.stop();
  }

  /** @returns whether there was one */
  async #workOnNext(): Promise<boolean> {
    const open = await claimRevocation(this.options.primary, LEASE_MS);
    if (open === undefined) return false;
    await this.#work(open);
    return true;
  }

  async #work(revocation: OpenRevocation): Promise<void> {
    const { primary, logger, rerun } = this.options;
    const { revocationId, actor, nextDay } = revocation;
    let day = nextDay;
    try {
      for (;;) {
        const found = await firstEventDay(primary, day);
        if (found === null || found > revocation.to || this.#stopping) break;
        await this.#revokeDay(revocation, found);
        day = addDays(found, 1);
        await saveProgress(primary, { revocationId, nextDay: day, leaseMs: LEASE_MS });
      }
      if (this.#stopping) return await saveProgress(primary, { revocationId, nextDay: day, leaseMs: 0 });
      const days = await affectedDays(primary, revocationId);
      if (days.length > 0) await rerun(days, actor);
      await finishRevocation(primary, revocationId);
      logger.info({ revocationId, actor, days }, 'events revoked');
    } catch (error) {
      logger.warn({ err: error, revocationId }, 'a revocation could not go on, trying again');
      await saveProgress(primary, { revocationId, nextDay: day, leaseMs: RETRY_MS }).catch(() => undefined);
    }
  }

  async #revokeDay({ revocationId, selection }: OpenRevocation, day: KstDay): Promise<void> {
    const { primary } = this.options;
    const events = await findCounted(primary, day, selection);
    for (let at = 0; at < events.length; at += EVENTS_PER_COMMIT) {
      await this.#revokeSome({ revocationId, day, events: events.slice(at, at + EVENTS_PER_COMMIT) });
    }
  }

  /** @throws when another revocation took one of them meanwhile; nothing is changed then, and the day is looked at anew */
  async #revokeSome(part: { revocationId: string; day: KstDay; events: readonly CountedEvent[] }): Promise<void> {
    await inTransaction(this.options.primary, async (tx) => {
      const revoked = await revokeCounted(tx, part.day, part.events);
      if (revoked !== part.events.length) throw new Error(`${revoked} events revoked of ${part.events.length}`);
      await recordEffects(tx, part);
    });
  }
}
