import { fromDatetime } from './datetimes.js';
import type { Queryable } from './dialect.js';

const MEASURE_INTERVAL_MS = 10_000;
/** Half of it is how wrong one measurement may be. */
const ANSWER_MS_MAX = 500;
const FIRST_ATTEMPTS = 10;

/**
 * The primary's clock, which all replicas of a service share, so that they agree on what day it is. Between two
 * measurements it goes on with this process's monotonic clock: this machine's time of day may jump, and nothing happens.
 */
export class DatabaseClock {
  #offsetMs = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly primary: Queryable) {}

  /** @throws when the primary cannot be asked */
  static async start(primary: Queryable): Promise<DatabaseClock> {
    const clock = new DatabaseClock(primary);
    let isSet = false;
    for (let attempt = 1; !isSet; attempt += 1) isSet = await clock.#measure(attempt < FIRST_ATTEMPTS);
    clock.#timer = setInterval(() => void clock.#measure(true).catch(() => undefined), MEASURE_INTERVAL_MS);
    clock.#timer.unref();
    return clock;
  }

  /** Milliseconds since 1970. A function of its own, to be handed on. */
  readonly now = (): number => Math.floor(performance.now() + this.#offsetMs);

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What was measured before stays when the answer comes late. @returns whether it was taken */
  async #measure(isStrict: boolean): Promise<boolean> {
    const askedMs = performance.now();
    const [row] = await this.primary.query("SELECT CONCAT(UTC_TIMESTAMP(3), '') AS now");
    const answeredMs = performance.now();
    if (isStrict && answeredMs - askedMs > ANSWER_MS_MAX) return false;
    this.#offsetMs = fromDatetime(String(row.now)) - (askedMs + answeredMs) / 2;
    return true;
  }
}
