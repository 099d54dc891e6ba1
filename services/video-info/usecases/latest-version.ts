import { setTimeout as pause } from 'node:timers/promises';

/** The highest version that was ever served, as all replicas of the service share it. Every call may reject. */
export interface SharedVersion {
  /** Undefined when there is none. */
  latest(): Promise<bigint | undefined>;
  /** Makes it at least that one. */
  raiseLatest(version: bigint): Promise<void>;
  /** Makes it that one, also when it was higher. */
  resetLatest(version: bigint): Promise<void>;
}

/** A monotonic clock in ms. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<unknown>;
}

export interface LatestVersionOptions {
  readonly shared: SharedVersion;
  /** The version of the primary, which has every one. */
  readonly readPrimary: () => Promise<bigint>;
  /** Told when a version is gone on from that is lower than what was served: the database was restored. */
  readonly onReset: () => void;
  readonly clock?: Clock;
}

/** So long a process answers by one look at the shared version, counted from before the look. */
const LOOK_VALID_MS = 300;
/** A look that old is renewed beside the answers that still go by it. */
const LOOK_RENEW_MS = 100;
/** From when a version is shared until the first answer of it leaves: looks that did not see it are over by then. */
const FIRST_ANSWER_AFTER_MS = 350;

const MONOTONIC: Clock = { now: () => performance.now(), wait: (ms) => pause(ms) };

/**
 * What this process knows of the latest version that was served by any. A look at the shared store holds for a while,
 * so that most answers need none; therefore a version is shared first, and served only when every look that did not
 * see it has ended (docs/decisions/0041).
 */
export class LatestVersion {
  readonly #clock: Clock;
  #known = 0n;
  /** When the first answer of the known version may leave. */
  #servableAtMs = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #isShared = true;

  constructor(private readonly options: LatestVersionOptions) {
    this.#clock = options.clock ?? MONOTONIC;
  }

  get known(): bigint {
    return this.#known;
  }

  /** Whether the last look could ask the store; without it, the primary was asked. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** Looks, unless a look holds. Never rejects: with neither store nor primary, own knowledge has to do. */
  async refresh(): Promise<void> {
    const ageMs = this.#clock.now() - this.#lookedAtMs;
    if (ageMs < LOOK_RENEW_MS) return;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    if (ageMs >= LOOK_VALID_MS) await this.#looking;
  }

  /** Waits until an answer of that version may leave. @returns false when a newer one may have been served */
  async admits(version: bigint): Promise<boolean> {
    for (;;) {
      await this.refresh();
      if (version < this.#known) return false;
      const leftMs = this.#servableAtMs - this.#clock.now();
      if (leftMs <= 0) return true;
      await this.#clock.wait(leftMs);
    }
  }

  /** Notes that a version exists and tells the others. @throws what the store throws; it is noted all the same */
  async raise(version: bigint): Promise<void> {
    if (version <= this.#known) return;
    try {
      await this.options.shared.raiseLatest(version);
    } finally {
      this.#note(version);
    }
  }

  /** Goes on from the primary's version when that is lower: it was restored from a backup. @returns whether it was */
  async resetToPrimary(): Promise<boolean> {
    const version = await this.options.readPrimary().catch(() => undefined);
    if (version === undefined || version >= this.#known) return false;
    await this.#reset(version);
    return true;
  }

  async #look(): Promise<void> {
    const startedAtMs = this.#clock.now();
    try {
      const latest = await this.options.shared.latest();
      if (latest !== undefined && latest >= this.#known) this.#note(latest);
      else await this.#settle();
      this.#isShared = true;
      this.#lookedAtMs = startedAtMs;
    } catch {
      this.#isShared = false;
      this.#lookedAtMs = this.#clock.now();
      await this.options.readPrimary().then(
        (version) => this.#note(version),
        () => undefined,
      );
    }
  }

  /** The store knows less than this process: it was emptied, or the database restored. The primary knows which. */
  async #settle(): Promise<void> {
    const version = await this.options.readPrimary();
    if (version < this.#known) return this.#reset(version);
    await this.options.shared.raiseLatest(version);
    this.#note(version);
  }

  async #reset(version: bigint): Promise<void> {
    this.#known = version;
    this.options.onReset();
    await this.options.shared.resetLatest(version).catch(() => undefined);
  }

  #note(version: bigint): void {
    if (version <= this.#known) return;
    this.#known = version;
    this.#servableAtMs = this.#clock.now() + FIRST_ANSWER_AFTER_MS;
  }
}
