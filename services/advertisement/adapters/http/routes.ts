import express, { type Express } from 'express';
import { z } from 'zod';
import { type WatchRecorded, watchRecorded } from '#lib/contract';
import { type ReceivedEvent, UnusableEventError } from '#lib/dapr';
import type { RecordingApplier } from '../../usecases/apply-recordings.js';

const RECORDINGS_MAX = 1_000;
const BODY_LIMIT = '16mb';

const recordingsRequest = z.object({ recordings: z.array(watchRecorded).min(1).max(RECORDINGS_MAX) });

/** What the watch-history service calls. A refusal is a 200 with `ok: false`: it is no failure of this service. */
export function addRoutes(app: Express, applier: Pick<RecordingApplier, 'apply'>): void {
  const router = express.Router();
  router.post('/internal/recordings', express.json({ limit: BODY_LIMIT }), async (req, res) => {
    const parsed = recordingsRequest.safeParse(req.body);
    if (!parsed.success || !parsed.data.recordings.every(isConsistent)) {
      res.json({ ok: false, code: 'INVALID' });
      return;
    }
    const results = await applier.apply(parsed.data.recordings);
    res.json({ ok: true, results });
  });
  app.use(router);
}

/** Takes `watch.recorded`: the way of recordings that no call has brought. */
export function recordingHandler(
  applier: Pick<RecordingApplier, 'apply' | 'isKnown'>,
): (event: ReceivedEvent) => Promise<void> {
  return async ({ data }) => {
    if (applier.isKnown((data as { recordingId?: unknown } | null)?.recordingId)) return;
    const parsed = watchRecorded.safeParse(data);
    if (!parsed.success) throw new UnusableEventError(parsed.error.message);
    if (!isConsistent(parsed.data)) throw new UnusableEventError('ad views of a video without ads');
    const [result] = await applier.apply([parsed.data]);
    if (result === 'too old') throw new UnusableEventError('too old to know whether it was counted');
  };
}

/** A video without ads has no ad views. */
function isConsistent({ videos }: WatchRecorded): boolean {
  return videos.every(([, ads, , , adViews]) => ads > 0 || adViews.length === 0);
}
