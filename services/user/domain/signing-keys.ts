/** When a signing key signs, and how long it is shown to those who verify. */
export interface KeyAge {
  readonly kid: string;
  readonly createdAtMs: number;
}

export interface KeyTimes {
  /** A key is replaced at this age. */
  readonly rotateAfterMs: number;
  /** A new key is shown so long before it signs, so that verifiers have it by then. */
  readonly announceMs: number;
  /** A key is shown so long after the next one has begun to sign: until all it signed has expired. */
  readonly retireAfterMs: number;
}

/** Newest first; the same order on every replica. */
function newestFirst<K extends KeyAge>(keys: readonly K[]): K[] {
  return [...keys].sort((a, b) => b.createdAtMs - a.createdAtMs || (a.kid < b.kid ? -1 : 1));
}

/** The newest key that has been announced long enough, or else the oldest; undefined when there is none. */
export function signingKeyOf<K extends KeyAge>(keys: readonly K[], times: KeyTimes, nowMs: number): K | undefined {
  const sorted = newestFirst(keys);
  return sorted.find((key) => key.createdAtMs + times.announceMs <= nowMs) ?? sorted.at(-1);
}

/** Whether it is time for a new key. */
export function isRotationDue(keys: readonly KeyAge[], times: KeyTimes, nowMs: number): boolean {
  const newest = newestFirst(keys)[0];
  return newest === undefined || newest.createdAtMs + times.rotateAfterMs <= nowMs;
}

/** The keys that nothing valid is signed by any more. */
export function retiredKeys<K extends KeyAge>(keys: readonly K[], times: KeyTimes, nowMs: number): K[] {
  const sorted = newestFirst(keys);
  return sorted.filter((_key, index) => {
    const next = sorted[index - 1];
    return next !== undefined && next.createdAtMs + times.announceMs + times.retireAfterMs <= nowMs;
  });
}
