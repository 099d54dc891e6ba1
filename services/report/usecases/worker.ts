import type { Logger } from '#lib/logging';

export interface WorkerOptions {
  /** What it does, for the log. */
  readonly name: string;
  /** Does some of the work. @returns whether there may be more at once */
  readonly work: () => Promise<boolean>;
  /** How often it looks by itself. */
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Does a kind of work again and again until it is stopped, one piece at a time; an error is logged and tried again. */
export class Worker {
  #stopped = false;
  #loop: Promise<void> | undefined;
  #isWoken = false;
  #wake: () => void = () => undefined;

  constructor(private readonly options: WorkerOptions) {}

  start(): void {
    this.#loop = this.#run();
  }

  /** Looks now instead of at the next interval. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#isWoken = false;
      const hasMore = await this.options.work().catch((error: unknown) => {
        this.options.logger.warn({ err: error }, `${this.options.name} did not succeed, trying again`);
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
