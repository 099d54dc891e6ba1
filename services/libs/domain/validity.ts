import { adsOf } from './advertisement.js';
import { type KstDay, parseKstDay } from './calendar.js';
import { DomainError, type FieldError } from './errors.js';
import { type CreatorId, userOfViewer, type Viewer } from './ids.js';

/** Why an event counts or not, as stored in the database: stable small integers, never renumbered. */
export const REASON = { COUNTED: 0, SELF_VIEW: 1, REPEAT: 2, TOO_SHORT: 3, REVOKED: 4 } as const;
export type ReasonName = keyof typeof REASON;
export type ReasonCode = (typeof REASON)[ReasonName];
export type ExcludedReasonName = Exclude<ReasonName, 'COUNTED'>;

/** The reasons by which an event is excluded, in the order in which they are listed to people. */
export const EXCLUDED_REASONS = [
  'SELF_VIEW',
  'REPEAT',
  'TOO_SHORT',
  'REVOKED',
] as const satisfies readonly ExcludedReasonName[];

const NAME_OF_CODE = [
  'COUNTED',
  'SELF_VIEW',
  'REPEAT',
  'TOO_SHORT',
  'REVOKED',
] as const satisfies readonly ReasonName[];

/**
 * The name of a stored reason code.
 * @throws DomainError INVALID_REASON for a number that is no code.
 */
export function reasonName(code: number): ReasonName {
  const name = NAME_OF_CODE[code];
  if (name === undefined) throw new DomainError('INVALID_REASON', `${code} is not a reason code.`);
  return name;
}

/** Whether an event with this reason counts in statistics and settlement. */
export function isCounted(code: ReasonCode): boolean {
  return code === REASON.COUNTED;
}

/** A version of what counts. It never touches events that were already decided. */
export interface ValidityPolicy {
  readonly version: number;
  readonly effectiveFrom: KstDay;
  /** An event nearer than this to the viewer's latest counted one of the same video is a REPEAT; exactly this far counts. */
  readonly repeatWindowMs: number;
  /** An event with fewer played seconds is TOO_SHORT. */
  readonly minPlayedSeconds: number;
}

export const POLICY_V1: ValidityPolicy = {
  version: 1,
  effectiveFrom: parseKstDay('1970-01-01'),
  repeatWindowMs: 30_000,
  minPlayedSeconds: 0,
};

/**
 * The policy in effect on an event day: the latest `effectiveFrom` not after it, the higher version where two share a
 * date.
 * @throws DomainError NO_POLICY_IN_EFFECT when every policy starts later.
 */
export function policyOn(policies: readonly ValidityPolicy[], day: KstDay): ValidityPolicy {
  let best: ValidityPolicy | undefined;
  for (const policy of policies) {
    if (policy.effectiveFrom > day) continue;
    const isLater =
      best === undefined ||
      policy.effectiveFrom > best.effectiveFrom ||
      (policy.effectiveFrom === best.effectiveFrom && policy.version > best.version);
    if (isLater) best = policy;
  }
  if (best === undefined) throw new DomainError('NO_POLICY_IN_EFFECT', `No validity policy is in effect on ${day}.`);
  return best;
}

export interface ReasonInput {
  readonly policy: ValidityPolicy;
  readonly viewer: Viewer;
  /** Whose video it is. */
  readonly creatorId: CreatorId;
  readonly watchedAtMs: number;
  readonly playedSeconds: number;
  /** `watchedAt` (ms) of the same viewer's latest counted event for the same video, by `watchedAt`; null when none. */
  readonly latestCountedAtMs?: number | null;
}

/**
 * Decides, once and at ingestion, whether an event counts. SELF_VIEW before TOO_SHORT before REPEAT; a REPEAT is less
 * than the window away from the latest counted event, on either side. Never REVOKED. Watch event rule 5.
 */
export function decideReason(input: ReasonInput): ReasonCode {
  const { policy, viewer, creatorId, watchedAtMs, playedSeconds } = input;
  const latestCountedAtMs = input.latestCountedAtMs ?? null;
  if (userOfViewer(viewer) === creatorId) return REASON.SELF_VIEW;
  if (playedSeconds < policy.minPlayedSeconds) return REASON.TOO_SHORT;
  if (latestCountedAtMs !== null && Math.abs(watchedAtMs - latestCountedAtMs) < policy.repeatWindowMs) {
    return REASON.REPEAT;
  }
  return REASON.COUNTED;
}

/** `playedTime` may exceed the video's length by this much: players' clocks are not exact. */
export const PLAYED_TIME_TOLERANCE_SECONDS = 5;
export const WATCHED_AT_FUTURE_MAX_MS = 5 * 60_000;
export const WATCHED_AT_PAST_MAX_MS = 35 * 86_400_000;

export interface WatchEventInput {
  readonly eventId?: string | undefined;
  /** Seconds played. */
  readonly playedTime: number;
  /** Seconds into the video. */
  readonly lastWatched: number;
  readonly adViewCount: number;
  /** Instant in ms; absent when the time of receipt is to be used. */
  readonly watchedAtMs?: number | undefined;
}

/** Of nearly every event, so it is not made anew. */
const NONE: readonly FieldError[] = [];

function countErrors(field: string, value: number, max: number, what: string): readonly FieldError[] {
  if (!Number.isSafeInteger(value) || value < 0) return [{ field, message: 'Must be a whole number, at least 0.' }];
  return value > max ? [{ field, message: `Must be at most ${max}, ${what}.` }] : NONE;
}

function watchedAtErrors(input: WatchEventInput, nowMs: number): readonly FieldError[] {
  const { eventId, watchedAtMs } = input;
  const field = 'watchedAt';
  if (watchedAtMs === undefined) {
    return eventId === undefined ? NONE : [{ field, message: 'Must be present when eventId is.' }];
  }
  if (!Number.isSafeInteger(watchedAtMs)) return [{ field, message: 'Must be an instant.' }];
  if (watchedAtMs > nowMs + WATCHED_AT_FUTURE_MAX_MS) {
    return [{ field, message: 'Must not be more than 5 minutes in the future.' }];
  }
  if (watchedAtMs < nowMs - WATCHED_AT_PAST_MAX_MS) {
    return [{ field, message: 'Must not be more than 35 days in the past.' }];
  }
  return NONE;
}

/**
 * What is wrong with a watch event of that video at `nowMs`, field by field; empty when it is acceptable. Watch event
 * rules 1 and 2; limits themselves are allowed.
 * @throws DomainError INVALID_LENGTH when the video's length is not whole seconds.
 */
export function checkWatchEvent(
  input: WatchEventInput,
  video: { readonly lengthSeconds: number },
  nowMs: number,
): readonly FieldError[] {
  const { lengthSeconds } = video;
  const playedMax = lengthSeconds + PLAYED_TIME_TOLERANCE_SECONDS;
  const played = countErrors('playedTime', input.playedTime, playedMax, "the video's length and 5 seconds");
  const last = countErrors('lastWatched', input.lastWatched, lengthSeconds, "the video's length");
  const ads = countErrors('adViewCount', input.adViewCount, adsOf(lengthSeconds), "the number of the video's ads");
  const watchedAt = watchedAtErrors(input, nowMs);
  const areNone = played === NONE && last === NONE && ads === NONE && watchedAt === NONE;
  return areNone ? NONE : [...played, ...last, ...ads, ...watchedAt];
}
