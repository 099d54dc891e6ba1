import express, { type Express } from 'express';
import { type ReadOptions, type Recording, readWatchRecorded } from '#lib/contract';
import { type ReceivedEvent, UnusableEventError } from '#lib/dapr';
import type { RecordingApplier } from '../../usecases/apply-recordings.js';

const BODY_LIMIT = '16mb';

/** What the watch-history service calls. A refusal is a 200 with `ok: false`: it is no failure of this service. */
export function addRoutes(app: Express, applier: Pick<RecordingApplier, 'apply'>): void {
  const router = express.Router();
  router.post('/internal/recordings', express.json({ limit: BODY_LIMIT }), async (req, res) => {
    const read = readRecordings(req.body);
    if (typeof read === 'string') {
      res.json({ ok: false, code: 'INVALID' });
      return;
    }
    res.json({ ok: true, results: await applier.apply(read) });
  });
  app.use(router);
}

/** Takes `watch.recorded`: the way of recordings that no call has brought. */
export function recordingHandler(
  applier: Pick<RecordingApplier, 'apply' | 'isKnown'>,
): (event: ReceivedEvent) => Promise<void> {
  return async ({ data }) => {
    // Most have come by call, and are counted.
    const read = readRecordings(data, { isKnown: (recordingId) => applier.isKnown(recordingId) });
    if (typeof read === 'string') throw new UnusableEventError(read);
    const results = await applier.apply(read);
    if (results.includes('too old')) throw new UnusableEventError('too old to know whether it was counted');
  };
}

/** @returns the recordings, or what is wrong with them */
function readRecordings(data: unknown, options: ReadOptions = {}): readonly Recording[] | string {
  const read = readWatchRecorded(data, options);
  if (typeof read === 'string') return read;
  return read.every(isConsistent) ? read : 'ad views of a video without ads';
}

/** A video without ads has no ad views. */
function isConsistent({ videos }: Recording): boolean {
  return videos.every(([, ads, , , adViews]) => ads > 0 || adViews.length === 0);
}
