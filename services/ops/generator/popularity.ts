import { fractionOf, mix, Random } from './random.js';
import type { GenerateRequest } from './request.js';

/** Zipf–Mandelbrot: the weight of rank r (from 0) is 1 / (r + SHIFT). The first video has some 3–5 % of all events. */
const SHIFT = 2.7;
const RANK_SALT = 0x2a4c;
const DAY_SALT = 0xda15;

/**
 * How many events each video has on the day: item v − 1 is video v's. Their sum is exactly `events`. Ranks belong to
 * the catalogue; from day to day a video's weight varies between 0.6 and 1.4 of its own.
 */
export function eventCounts(
  request: Pick<GenerateRequest, 'events' | 'videos' | 'seed'>,
  dayNumber: number,
): Uint32Array {
  const { events, videos, seed } = request;
  const ranks = shuffledRanks(videos);
  const daySeed = mix(mix(DAY_SALT, seed), dayNumber);
  const weights = Float64Array.from(ranks, (rank, index) => (0.6 + 0.8 * fractionOf(daySeed, index)) / (rank + SHIFT));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = new Uint32Array(videos);
  let cumulated = 0;
  let given = 0;
  for (let index = 0; index < videos; index += 1) {
    cumulated += weights[index]!;
    const upToHere = index === videos - 1 ? events : Math.min(events, Math.floor((cumulated / total) * events));
    counts[index] = upToHere - given;
    given = upToHere;
  }
  return counts;
}

/** A fixed permutation of 0 … n − 1 (Fisher–Yates). */
function shuffledRanks(n: number): Uint32Array {
  const ranks = Uint32Array.from({ length: n }, (_, index) => index);
  const random = new Random();
  random.seed(RANK_SALT, n, 1);
  for (let last = n - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    const kept = ranks[last]!;
    ranks[last] = ranks[other]!;
    ranks[other] = kept;
  }
  return ranks;
}
