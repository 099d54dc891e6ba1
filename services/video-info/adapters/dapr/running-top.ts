import type { Sidecar } from '#lib/dapr';
import { fromDatetime } from '#lib/database';

const CALL_TIMEOUT_MS = 8_000;
/** How often this process asks at most. */
const ASK_INTERVAL_MS = 2_000;
/** How long a request waits for the day's first lists. */
const FIRST_WAIT_MS = 3_000;

/** Has batch bring the running day's Top 5 up to date, while somebody asks for it. */
export class RunningTop {
  #day = '';
  #reachedMs: number | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly sidecar: Sidecar,
    private readonly today: () => string,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * Asks batch unless that was just done. Waits for the answer only while nothing is known of today.
   * @returns the instant (ms) that today's lists are known to reach; null when unknown
   */
  async refresh(): Promise<number | null> {
    if (this.#day !== this.today()) {
      this.#day = this.today();
      this.#reachedMs = null;
    }
    if (performance.now() - this.#askedAtMs > ASK_INTERVAL_MS) this.#ask();
    if (this.#reachedMs === null && this.#asking !== undefined) {
      const tooLong = new Promise<void>((resolve) => setTimeout(resolve, FIRST_WAIT_MS).unref());
      await Promise.race([this.#asking, tooLong]);
    }
    return this.#reachedMs;
  }

  #ask(): void {
    this.#askedAtMs = performance.now();
    this.#asking ??= this.#call()
      .catch(this.onError)
      .finally(() => {
        this.#asking = undefined;
      });
  }

  async #call(): Promise<void> {
    const response = await this.sidecar.invoke('batch', 'internal/running-top', {
      method: 'POST',
      body: {},
      timeoutMs: CALL_TIMEOUT_MS,
    });
    const { day, asOf } = response.json<{ day: string; asOf: string | null }>();
    if (day === this.#day && asOf !== null) this.#reachedMs = fromDatetime(asOf);
  }
}
