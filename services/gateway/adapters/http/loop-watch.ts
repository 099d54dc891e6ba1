import { performance } from 'node:perf_hooks';

const WINDOW_MS = 100;
/** A process that idles less than this of its time has work waiting all the time. */
const SATURATED = 0.97;
/** So many windows one after another without a pause: that is no burst any more, which would only take a moment. */
const WINDOWS_TO_BEGIN = 10;
/** What part of the requests is let in is lowered after each window without a pause, and raised after each with one. */
const LOWERED_TO = 0.8;
const RAISED_BY = 0.04;
const LET_IN_MIN = 0.05;

/**
 * Whether this process itself is behind. Requests then wait where it cannot see them: Node takes one connection in a round
 * of its event loop, and the others wait in the system. What can be seen is that the loop never idles. After a second of
 * that, part of the requests is refused, which costs a fraction of serving them, and the part is found at which the loop
 * just comes to idle.
 */
export class LoopWatch {
  #saturatedWindows = 0;
  #letIn = 1;
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
    if (utilization <= SATURATED) {
      this.#saturatedWindows = 0;
      this.#letIn = Math.min(1, this.#letIn + RAISED_BY);
      return;
    }
    this.#saturatedWindows += 1;
    // Once it is overloaded, it does not take a second to say so again.
    const isOverloaded = this.#letIn < 1 || this.#saturatedWindows >= WINDOWS_TO_BEGIN;
    if (isOverloaded) this.#letIn = Math.max(LET_IN_MIN, this.#letIn * LOWERED_TO);
  }

  /** What part of the requests is let in now, above 0 and at most 1. */
  letIn(): number {
    return this.#letIn;
  }

  /** Whether a request that comes now is one too many. */
  isTooMuch(): boolean {
    return this.#letIn < 1 && Math.random() > this.#letIn;
  }
}
