import { uuidv7 } from '#lib/dapr';

/** The header by which the gateway gives each request an id. What a client sends under this name is not passed on. */
export const REQUEST_ID_HEADER = 'playbill-request-id';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CLOCKS_APART_MS_MAX = 5 * 60_000;

/**
 * When a request was received, and under which id. A sidecar repeats a call whose answer was lost; the id, which the
 * gateway gave the request before, makes the repeat the same request.
 */
export interface RequestIdentity {
  /** UUID v7. */
  readonly requestId: string;
  readonly receivedAtMs: number;
}

/**
 * The identity of a request by the id that came with it, whose first 48 bits are the time of receipt; without a
 * usable one (a caller that did not come through the gateway) it is a new one.
 */
export function identifyRequest(requestId: string | undefined, nowMs: number): RequestIdentity {
  const text = requestId?.toLowerCase() ?? '';
  if (UUID_V7.test(text)) {
    const receivedAtMs = Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16);
    if (Math.abs(receivedAtMs - nowMs) <= CLOCKS_APART_MS_MAX) return { requestId: text, receivedAtMs };
  }
  return { requestId: uuidv7(nowMs), receivedAtMs: nowMs };
}
