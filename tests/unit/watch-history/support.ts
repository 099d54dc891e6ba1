import { adsOf, type CreatorId, type EventId, kstDayOf, parseEventId, type VideoId, type Viewer } from '#domain';
import { viewingOf, type WatchEvent } from '../../../services/watch-history/domain/watch-event.js';

export const NOON_MS = Date.parse('2026-11-25T03:00:00Z');
export const DEVICE = 'd:11111111-1111-4111-8111-111111111111' as Viewer;
export const OTHER_DEVICE = 'd:22222222-2222-4222-8222-222222222222' as Viewer;
export const CREATOR_ID = 7n as CreatorId;

let made = 0;

/** An id that no other event of the tests has. */
export function newEventId(): EventId {
  made += 1;
  return parseEventId(`00000000-0000-7000-8000-${String(made).padStart(12, '0')}`);
}

/** A watch event of a 15-minute video, watched by a device at noon unless given. */
export function event(fields: Partial<WatchEvent> = {}): WatchEvent {
  const { viewer = DEVICE, videoId = 100n as VideoId, watchedAtMs = NOON_MS } = fields;
  return {
    eventId: newEventId(),
    videoId,
    creatorId: CREATOR_ID,
    ads: adsOf(900),
    viewer,
    day: kstDayOf(watchedAtMs),
    watchedAtMs,
    playedTime: 60,
    lastWatched: 60,
    adViewCount: 0,
    ...fields,
    viewing: viewingOf(viewer, videoId),
  };
}
