import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Listening } from '#lib/http';
import type { Logger } from '#lib/logging';

/** What a service does when it is told to end. */
export interface Ending {
  readonly server: Listening;
  /**
   * Until when its calls go on being taken. A service that others call: until its sidecar, through which they come, has
   * ended, so that each call that the sidecar took is answered; if that one stays, for {@link END_TIMES_MS}.linger. The
   * gateway, which needs its sidecar to the end: for some time.
   */
  readonly linger: 'until the sidecar ends' | { readonly forMs: number };
  /** Hands back work that nobody waits for, while calls are still taken. */
  readonly handBack?: () => Promise<unknown>;
  /** Gives back what the last answers have needed. */
  readonly release: () => Promise<unknown>;
}

/**
 * When each step of an end is over at the latest, from the signal on. Whoever sends the signal gives more time than the
 * last (docs/operations.md); what is not done by then is cut off, as by a death, which nothing is lost by.
 */
export const END_TIMES_MS = { linger: 5_000, handBack: 8_000, answers: 12_000, release: 15_000 } as const;

const LOOK_INTERVAL_MS = 50;

/** @returns whether everything came to its end, and nothing had to be cut off */
export async function end(
  { server, linger, handBack, release }: Ending,
  { sidecarPort, logger }: { sidecarPort: number; logger: Logger },
): Promise<boolean> {
  const startMs = performance.now();
  const late: string[] = [];
  const until = async (untilMs: number, what: string, work: Promise<unknown> = Promise.resolve()) => {
    const leftMs = Math.max(0, untilMs - (performance.now() - startMs));
    const done = work.then(
      () => true,
      (error: unknown) => {
        logger.error({ err: error, what }, 'a step of the end failed');
        return false;
      },
    );
    if (!(await isTrueWithin(leftMs, done))) late.push(what);
  };
  logger.info('told to end');
  server.announceEnd();
  await Promise.all([
    until(END_TIMES_MS.handBack, 'work', handBack?.()),
    linger === 'until the sidecar ends' ? endOfSidecar(sidecarPort, END_TIMES_MS.linger) : pause(linger.forMs),
  ]);
  await until(END_TIMES_MS.answers, 'answers', server.close());
  server.cutOff();
  await until(END_TIMES_MS.release, 'connections', release());
  const tookMs = Math.round(performance.now() - startMs);
  if (late.length === 0) logger.info({ tookMs }, 'ended');
  else logger.warn({ tookMs, late }, 'ended before everything was done');
  return late.length === 0;
}

async function isTrueWithin(ms: number, work: Promise<boolean>): Promise<boolean> {
  const timeIsOver = new AbortController();
  const late = pause(ms, false, { signal: timeIsOver.signal }).catch(() => false);
  const isDone = await Promise.race([work, late]);
  timeIsOver.abort();
  return isDone;
}

/** The sidecar closes this port when it takes no calls for its app any more and those that it took are answered. */
async function endOfSidecar(port: number, forMs: number): Promise<void> {
  const startMs = performance.now();
  while (performance.now() - startMs < forMs && (await isOpen(port))) await pause(LOOK_INTERVAL_MS);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const answer = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
