import type { RequestHandler } from 'express';
import type { Route } from '#lib/contract';
import { Problem } from '#lib/http';
import type { Config } from '../../config.js';

/** How requests of one route are let in. */
export interface AdmissionOptions {
  /** From this time of an answer on the route is overloaded, in ms. */
  readonly slowMs: number;
  readonly atOnceMin: number;
  /** So many are let in until it is known how quick answers are. */
  readonly atOnceStart: number;
  readonly atOnceMax: number;
  /** This process's monotonic clock, in ms. */
  readonly now?: () => number;
}

/** Of one overload many answers tell; it lowers the limit once in this time. */
const LOWER_INTERVAL_MS = 200;
const LOWERED_TO = 0.7;
/** Answers within this part of `slowMs` are quick. */
const QUICK = 0.5;
/** How much the limit grows while as many quick answers have come as are allowed at once. */
const GROWTH = 4;

/** What is answered to those who are too many. Made once: a refusal has to be cheap. */
export const TOO_MUCH = new Problem('UNAVAILABLE', {
  detail: 'More is asked at the moment than can be done.',
  retryAfterSeconds: 1,
});

/**
 * Keeps a route's answers quick when more is asked than can be done. So many requests are worked on at once as are
 * answered in time: the number falls quickly when answers are slow and grows slowly when they are not, as TCP finds the
 * width of a line. What comes on top is refused at once with 503 and Retry-After, which costs next to nothing, instead of
 * making everybody wait.
 */
export class Admission {
  /** How many are let in at once now. */
  #limit: number;
  #atOnce = 0;
  #loweredMs = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  constructor(private readonly options: AdmissionOptions) {
    this.#limit = options.atOnceStart;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Whether a request that comes now finds no room. */
  isFull(): boolean {
    return this.#atOnce >= this.#limit;
  }

  /** Before the request's body is read: is there room at all? */
  readonly look: RequestHandler = (_req, _res, next) => {
    this.#requireRoom();
    next();
  };

  /** When nothing is waited for any more but the service. @throws Problem UNAVAILABLE when there is no room */
  async work<T>(ask: () => Promise<T>): Promise<T> {
    this.#requireRoom();
    const startMs = this.#now();
    this.#atOnce += 1;
    try {
      return await ask();
    } finally {
      const wasBusy = this.#atOnce > this.#limit / 2;
      this.#atOnce -= 1;
      this.#learn({ tookMs: this.#now() - startMs, wasBusy });
    }
  }

  #requireRoom(): void {
    if (this.isFull()) throw TOO_MUCH;
  }

  /** A limit that is not reached is not what makes answers quick or slow, so quick ones do not raise it then. */
  #learn({ tookMs, wasBusy }: { tookMs: number; wasBusy: boolean }): void {
    const { slowMs, atOnceMin, atOnceMax } = this.options;
    if (tookMs < slowMs) {
      const isQuick = tookMs < slowMs * QUICK;
      if (isQuick && wasBusy) this.#limit = Math.min(atOnceMax, this.#limit + GROWTH / this.#limit);
      return;
    }
    const nowMs = this.#now();
    if (nowMs - this.#loweredMs < LOWER_INTERVAL_MS) return;
    this.#loweredMs = nowMs;
    // It is what was at work that was too much, which may be far below the limit.
    const tooMany = Math.min(this.#limit, this.#atOnce + 1);
    this.#limit = Math.max(atOnceMin, tooMany * LOWERED_TO);
  }
}

type Settings = Pick<Config, 'GATEWAY_SLOW_MS' | 'GATEWAY_BULK_SLOW_MS'>;

/** Each route has its own, so that a slow one holds up no other. What may take long by its nature has none. */
export class Admissions {
  readonly #byRoute = new Map<Route, Admission>();
  readonly #byPath = new Map<string, Admission>();

  constructor(routes: readonly Route[], config: Settings) {
    for (const route of routes) {
      if (route.timeoutMs !== undefined) continue;
      const admission = new Admission(optionsOf(route, config));
      this.#byRoute.set(route, admission);
      if (!route.path.includes('{')) this.#byPath.set(`${route.method.toUpperCase()} ${route.path}`, admission);
    }
  }

  of(route: Route): Admission | undefined {
    return this.#byRoute.get(route);
  }

  /** Whether a request finds no room, as far as its path alone tells: one with parameters is looked at by its route. */
  isFull({ method = '', url = '' }: { method?: string | undefined; url?: string | undefined }): boolean {
    const query = url.indexOf('?');
    return this.#byPath.get(`${method} ${query === -1 ? url : url.slice(0, query)}`)?.isFull() === true;
  }
}

function optionsOf(route: Route, config: Settings): AdmissionOptions {
  return route.auth === 'ingest'
    ? { slowMs: config.GATEWAY_BULK_SLOW_MS, atOnceMin: 4, atOnceStart: 12, atOnceMax: 32 }
    : { slowMs: config.GATEWAY_SLOW_MS, atOnceMin: 16, atOnceStart: 256, atOnceMax: 512 };
}
