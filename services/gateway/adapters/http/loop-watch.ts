import type { RequestHandler } from 'express';
import { Problem, sendProblem } from '#lib/http';

const TICK_MS = 50;
/** Made once: a refusal has to be cheap. */
const REFUSAL = new Problem('UNAVAILABLE', {
  detail: 'More is asked at the moment than can be done.',
  retryAfterSeconds: 1,
});

/**
 * Whether this process itself is behind: requests then wait unread in their sockets, where nobody sees them waiting. It
 * is seen by a timer that is late. Looked at while a long round of work is still going on, so the rest of the round is
 * refused, which is quick.
 */
export class LoopWatch {
  #dueMs: number;
  /** By how much the last tick was late. */
  #wasLateMs = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #now: () => number;

  /** @param options `lateMs`: from this on it is behind, if it was nearly as late before: one pause is no overload */
  constructor(private readonly options: { readonly lateMs: number; readonly now?: () => number }) {
    this.#now = options.now ?? (() => performance.now());
    this.#dueMs = this.#now() + TICK_MS;
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  tick(): void {
    const nowMs = this.#now();
    this.#wasLateMs = nowMs - this.#dueMs;
    this.#dueMs = nowMs + TICK_MS;
  }

  isLate(): boolean {
    const { lateMs } = this.options;
    return this.#now() - this.#dueMs > lateMs && this.#wasLateMs > lateMs / 2;
  }

  /** Refuses while the process is behind. */
  readonly refuse: RequestHandler = (_req, res, next) => {
    if (this.isLate()) sendProblem(res, REFUSAL);
    else next();
  };
}
