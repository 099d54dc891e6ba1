import { DomainError } from './errors.js';

/** One advertisement for each full 300 seconds of video. */
export const SECONDS_PER_AD = 300;

/**
 * How many advertisements a video of that length has: floor(length / 300 s). Their priorities are 1 … N.
 * @throws DomainError INVALID_LENGTH unless the length is a whole number of seconds, at least 0.
 */
export function adsOf(lengthSeconds: number): number {
  if (!Number.isSafeInteger(lengthSeconds) || lengthSeconds < 0) {
    throw new DomainError('INVALID_LENGTH', 'Must be a whole number of seconds, at least 0.', {
      field: 'lengthSeconds',
    });
  }
  return Math.floor(lengthSeconds / SECONDS_PER_AD);
}

/**
 * Spreads the ad views of one watch event over the video's ads. Item i belongs to priority i + 1: each gets
 * floor(n / N), the first n mod N by priority one more; the items sum to n.
 * @throws DomainError INVALID_AD_COUNT for a negative or fractional count, or ad views of a video without ads.
 */
export function spreadAdViews(adViewCount: number, adCount: number): number[] {
  const { rounds, first } = roundsOfAds(adViewCount, adCount);
  return Array.from({ length: adCount }, (_, index) => (index < first ? rounds + 1 : rounds));
}

/**
 * The same spread as two numbers: every ad was shown `rounds` times, and the `first` of them by priority once more.
 * @throws DomainError INVALID_AD_COUNT as spreadAdViews.
 */
export function roundsOfAds(adViewCount: number, adCount: number): { rounds: number; first: number } {
  const areCounts =
    Number.isSafeInteger(adViewCount) && adViewCount >= 0 && Number.isSafeInteger(adCount) && adCount >= 0;
  if (!areCounts || (adCount === 0 && adViewCount > 0)) {
    throw new DomainError('INVALID_AD_COUNT', 'A video without ads has no ad views, and counts are whole numbers.', {
      field: 'adViewCount',
    });
  }
  if (adCount === 0) return { rounds: 0, first: 0 };
  return { rounds: Math.floor(adViewCount / adCount), first: adViewCount % adCount };
}
