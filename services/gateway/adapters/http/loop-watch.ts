import { performance } from 'node:perf_hooks';
import type { RequestHandler } from 'express';
import { Problem, sendProblem } from '#lib/http';

const WINDOW_MS = 100;
/** A process that idles less than this of its time has work waiting all the time. */
const SATURATED = 0.97;
/** So many windows one after another without a pause: that is no burst any more, which would only take a moment. */
const WINDOWS_TO_BEGIN = 20;
/** So many windows with pauses, and it is over. */
const WINDOWS_TO_END = 20;
/** Made once: a refusal has to be cheap. */
const REFUSAL = new Problem('UNAVAILABLE', {
  detail: 'More is asked at the moment than can be done.',
  retryAfterSeconds: 1,
});

/**
 * Whether this process itself is behind. Requests then wait where it cannot see them: Node takes one connection in a round
 * of its event loop, and the others wait in the system. What can be seen is that the loop never idles. After two seconds
 * of that, requests are refused, which costs a small part of serving them, in every tenth of a second that follows one
 * without a pause; so the waiting ones are soon through, and as many are served as there is time for.
 */
export class LoopWatch {
  #saturatedWindows = 0;
  #calmWindows = 0;
  #isOverloaded = false;
  #isRefusing = false;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.eventLoopUtilization();

  start(): void {
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization();
      this.note(performance.eventLoopUtilization(now, this.#last).utilization);
      this.#last = now;
    }, WINDOW_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A window has ended. @param utilization the part of it in which the loop was not idle, 0 to 1 */
  note(utilization: number): void {
    const isSaturated = utilization > SATURATED;
    this.#saturatedWindows = isSaturated ? this.#saturatedWindows + 1 : 0;
    this.#calmWindows = isSaturated ? 0 : this.#calmWindows + 1;
    if (this.#saturatedWindows >= WINDOWS_TO_BEGIN) this.#isOverloaded = true;
    if (this.#calmWindows >= WINDOWS_TO_END) this.#isOverloaded = false;
    this.#isRefusing = this.#isOverloaded && isSaturated;
  }

  isRefusing(): boolean {
    return this.#isRefusing;
  }

  /** Refuses while the process is behind. */
  readonly refuse: RequestHandler = (_req, res, next) => {
    if (this.#isRefusing) sendProblem(res, REFUSAL);
    else next();
  };
}
