import type { Branded } from './brand.js';
import { DomainError } from './errors.js';

/** A video's id: 1 … 2^63−1; a decimal string in JSON. */
export type VideoId = Branded<bigint, 'VideoId'>;
/** A user's id: 1 … 2^63−1; a decimal string in JSON. */
export type UserId = Branded<bigint, 'UserId'>;
/** A creator is a user who owns a video; the ids are the same. */
export type CreatorId = UserId;
/** A watch event's id: a UUID of any version in canonical lower case. */
export type EventId = Branded<string, 'EventId'>;
/** Who watched: `u:<user id>` or `d:<device uuid>`, in canonical form. */
export type Viewer = Branded<string, 'Viewer'>;

/** The longest viewer: `d:` and a UUID. */
export const VIEWER_LENGTH_MAX = 38;

const ID_MAX = 2n ** 63n - 1n;
const DECIMAL_ID = /^[1-9][0-9]{0,18}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DEVICE = /^d:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX32 = /^[0-9a-f]{32}$/;

function parseId(value: unknown, field: string): bigint {
  const isDecimal = typeof value === 'string' && DECIMAL_ID.test(value);
  const id = typeof value === 'bigint' ? value : isDecimal ? BigInt(value) : 0n;
  if (id < 1n || id > ID_MAX) {
    throw new DomainError('INVALID_ID', 'Must be an id: a string of decimal digits from 1 to 2^63-1.', { field });
  }
  return id;
}

/**
 * Parses a canonical decimal string (no sign, no leading zero) or a bigint read from the database.
 * @throws DomainError INVALID_ID with `field`.
 */
export function parseVideoId(value: unknown, field = 'videoId'): VideoId {
  return parseId(value, field) as VideoId;
}

/**
 * Parses a canonical decimal string (no sign, no leading zero) or a bigint read from the database.
 * @throws DomainError INVALID_ID with `field`.
 */
export function parseUserId(value: unknown, field = 'userId'): UserId {
  return parseId(value, field) as UserId;
}

/**
 * As `parseUserId`, for a creator.
 * @throws DomainError INVALID_ID with `field`.
 */
export function parseCreatorId(value: unknown, field = 'creatorId'): CreatorId {
  return parseId(value, field) as CreatorId;
}

/** The JSON form of an id: its decimal digits; the parsers read it back. */
export function formatId(id: VideoId | UserId): string {
  return id.toString();
}

/** −1, 0 or 1 by numeric order; fit for `Array.sort`. */
export function compareIds(a: VideoId | UserId, b: VideoId | UserId): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Parses a UUID of any version, in either case; the result is lower case, so that one event has one id.
 * @throws DomainError INVALID_EVENT_ID with `field`.
 */
export function parseEventId(value: unknown, field = 'eventId'): EventId {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (!UUID.test(text)) throw new DomainError('INVALID_EVENT_ID', 'Must be a UUID.', { field });
  return text as EventId;
}

/** The 32 lower-case hexadecimal digits of the id, for a BINARY(16) column. */
export function eventIdToHex32(eventId: EventId): string {
  return eventId.replaceAll('-', '');
}

/**
 * The inverse of `eventIdToHex32`; either case.
 * @throws DomainError INVALID_EVENT_ID when it is not 32 hexadecimal digits.
 */
export function eventIdFromHex32(hex: string): EventId {
  const text = hex.toLowerCase();
  if (!HEX32.test(text)) throw new DomainError('INVALID_EVENT_ID', 'Must be 32 hexadecimal digits.');
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
  return parts.join('-') as EventId;
}

/**
 * Parses `u:<id>` or `d:<uuid>` (the UUID in either case; made lower case).
 * @throws DomainError INVALID_VIEWER with `field`.
 */
export function parseViewer(value: unknown, field = 'viewer'): Viewer {
  if (typeof value === 'string' && value.length <= VIEWER_LENGTH_MAX) {
    if (DEVICE.test(value)) return value as Viewer;
    const rest = value.slice(2);
    if (value.startsWith('u:') && DECIMAL_ID.test(rest) && BigInt(rest) <= ID_MAX) return value as Viewer;
    if (value.startsWith('d:') && UUID.test(rest.toLowerCase())) return `d:${rest.toLowerCase()}` as Viewer;
  }
  throw new DomainError('INVALID_VIEWER', 'Must be u:<user id> or d:<device uuid>.', { field });
}

/** The viewer that a signed-in user is. */
export function viewerOfUser(userId: UserId): Viewer {
  return `u:${userId}` as Viewer;
}

/**
 * The viewer that an anonymous device is; the UUID in either case.
 * @throws DomainError INVALID_VIEWER with `field`.
 */
export function viewerOfDevice(deviceUuid: unknown, field = 'X-Device-UUID'): Viewer {
  const text = typeof deviceUuid === 'string' ? deviceUuid.toLowerCase() : '';
  if (!UUID.test(text)) throw new DomainError('INVALID_VIEWER', 'Must be a UUID.', { field });
  return `d:${text}` as Viewer;
}

/** The user behind the viewer, or null for a device. */
export function userOfViewer(viewer: Viewer): UserId | null {
  return viewer.startsWith('u:') ? (BigInt(viewer.slice(2)) as UserId) : null;
}
