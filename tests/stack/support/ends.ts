import type { ProcessEnd } from '../../../deploy/local/stack/index.js';

/** What every process that is told to end has (docker-compose.yml: stop_grace_period). */
const GRACE_MS = 20_000;

/** Those that did not end by themselves, in time, and as they should. */
export function badEnds<T extends ProcessEnd | null>(ends: readonly T[]): T[] {
  return ends.filter((end) => end?.code !== 0 || end.signal !== null || end.tookMs >= GRACE_MS);
}
