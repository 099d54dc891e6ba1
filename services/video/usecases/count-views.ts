import { readWatchRecorded } from '#lib/contract';
import { type ReceivedEvent, UnusableEventError } from '#lib/dapr';
import type { LiveCounters } from './live-counters.js';

/** Recordings that are recognised when they are delivered again. */
const KNOWN_MAX = 10_000;

/** Counts views live, from `watch.recorded`. A redelivery to another process is counted again: it is display only. */
export function viewCounter(counters: Pick<LiveCounters, 'count'>): (event: ReceivedEvent) => Promise<void> {
  const known = new Set<string>();
  return async ({ data }) => {
    const read = readWatchRecorded(data, { isKnown: (recordingId) => known.has(recordingId) });
    if (typeof read === 'string') throw new UnusableEventError(read);
    for (const { recordingId, videos } of read) {
      known.add(recordingId);
      if (known.size > KNOWN_MAX) known.delete(known.values().next().value!);
      for (const [videoId, , counted] of videos) {
        if (counted > 0) counters.count(videoId, { plays: 0, views: counted });
      }
    }
  };
}
