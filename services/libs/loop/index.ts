export interface LoopOptions {
  /** Does some of the work. @returns whether there may be more at once */
  readonly work: () => Promise<boolean>;
  /** How often it looks by itself. */
  readonly intervalMs: number;
  /** Told of each failure; the work is tried again after the interval. */
  readonly onError: (error: unknown) => void;
}

/** Does a kind of work again and again until it is stopped, one piece at a time. */
export class Loop {
  #stopped = false;
  #running: Promise<void> | undefined;
  #isWoken = false;
  #wake: () => void = () => undefined;

  constructor(private readonly options: LoopOptions) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Looks now instead of at the next interval. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Ends after the piece of work at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#isWoken = false;
      const hasMore = await this.options.work().catch((error: unknown) => {
        this.options.onError(error);
        return false;
      });
      if (!hasMore && !this.#isWoken && !this.#stopped) await this.#idle();
    }
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.intervalMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
