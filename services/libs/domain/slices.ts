import { DomainError } from './errors.js';

/** Into how many slices the work of a day is divided, by video and by creator. Part of stored keys: never changes. */
export const SLICE_COUNT = 64;

/**
 * The slice of a video or of a creator: id mod 64, so 0 … 63.
 * @throws DomainError INVALID_ID for a negative id.
 */
export function sliceOf(id: bigint): number {
  if (id < 0n) throw new DomainError('INVALID_ID', 'An id is never negative.');
  return Number(BigInt.asUintN(6, id));
}
