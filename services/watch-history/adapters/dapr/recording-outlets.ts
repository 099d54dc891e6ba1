import { WATCH_RECORDED } from '#lib/contract';
import { callWithFallback, type Sidecar } from '#lib/dapr';
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
        body: `{"recordings":[${recordings.map(({ json }) => json).join(',')}]}`,
        deadlineMs: ADVERTISE_DEADLINE_MS,
        queue: async () => undefined,
      });
      return way !== 'queue';
    },
    publish: (recording) =>
      sidecar.publish(WATCH_RECORDED, {
        id: recording.recordingId,
        type: WATCH_RECORDED,
        source: 'playbill/watch-history',
        json: recording.json,
      }),
  };
}
