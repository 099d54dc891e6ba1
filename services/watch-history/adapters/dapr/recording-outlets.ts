import { WATCH_RECORDED } from '#lib/contract';
import { callWithFallback, type Sidecar, uuidv7 } from '#lib/dapr';
import type { WrittenRecording } from '../../repositories/recording-repository.js';
import type { RecordingOutlets } from '../../usecases/deliver-recordings.js';

const ADVERTISE_DEADLINE_MS = 2_000;

/**
 * The ways of a recording out of this service. Every recording is published for the live figures, so the queue, as
 * the last way to the advertisement service, is there already: it only has to be told that no call was answered.
 */
export function recordingOutlets(sidecar: Sidecar): RecordingOutlets {
  return {
    async advertise(recordings) {
      const way = await callWithFallback({
        sidecar,
        primary: 'advertisement',
        reserve: 'advertisement-reserve',
        path: 'internal/recordings',
        body: listOf(recordings),
        deadlineMs: ADVERTISE_DEADLINE_MS,
        queue: async () => undefined,
      });
      return way !== 'queue';
    },
    publish: (recordings) =>
      sidecar.publish(WATCH_RECORDED, {
        id: uuidv7(),
        type: WATCH_RECORDED,
        source: 'playbill/watch-history',
        json: listOf(recordings),
      }),
  };
}

/** Data of `watch.recorded`, which the call takes as well. */
function listOf(recordings: readonly WrittenRecording[]): string {
  return `{"recordings":[${recordings.map(({ json }) => json).join(',')}]}`;
}
