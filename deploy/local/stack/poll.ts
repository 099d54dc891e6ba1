import { setTimeout as pause } from 'node:timers/promises';

export interface PollOptions {
  /** What is waited for, for the message when the time is over. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly intervalMs?: number;
  /** Ends the wait early: its message says why waiting is useless. */
  readonly giveUp?: () => Error | undefined;
}

/**
 * Tries until `attempt` neither throws nor gives undefined.
 * @throws naming what was waited for and the last reason, when the deadline has passed
 */
export async function poll<T>(attempt: () => Promise<T | undefined>, options: PollOptions): Promise<T> {
  const startMs = performance.now();
  let reason: unknown;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
      reason = undefined;
    } catch (error) {
      reason = error;
    }
    const useless = options.giveUp?.();
    if (useless !== undefined) throw useless;
    if (performance.now() - startMs > options.deadlineMs) {
      const because = reason instanceof Error ? `: ${reason.message}` : '';
      throw new Error(`waited ${options.deadlineMs / 1000} s in vain for ${options.what}${because}`, { cause: reason });
    }
    await pause(options.intervalMs ?? 50);
  }
}
