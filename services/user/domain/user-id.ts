import { parseUserId, type UserId } from '#domain';

/** 2026-01-01T00:00:00Z. */
const EPOCH_MS = 1_767_225_600_000n;
const RANDOM_BITS = 20n;
export const USER_ID_RANDOM_MAX = 2 ** Number(RANDOM_BITS);

/**
 * An id that nobody needs to hand out: later ones are greater, and the low bits, by which work is divided, are random.
 * @param random a whole number from 0 to USER_ID_RANDOM_MAX - 1
 */
export function userIdOf(nowMs: number, random: number): UserId {
  return parseUserId(((BigInt(nowMs) - EPOCH_MS) << RANDOM_BITS) | BigInt(random));
}
