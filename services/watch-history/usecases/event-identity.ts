import { createHash } from 'node:crypto';
import { type EventId, parseEventId } from '#domain';
import type { RequestIdentity } from '#lib/http';

/**
 * The id of the event at that place of the request, for an event that has none: a UUID v7 of the time of receipt.
 * The same request, sent again by a sidecar, gives the same id, and so stores nothing twice.
 */
export function eventIdAt({ requestId }: RequestIdentity, index: number): EventId {
  const digest = createHash('sha256').update(`${requestId} ${index}`).digest('hex');
  const variant = ((Number.parseInt(digest[3]!, 16) & 0x3) | 0x8).toString(16);
  const time = requestId.slice(0, 13);
  return parseEventId(`${time}-7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`);
}
