import { compareDays, type KstDay, parseKstDay } from '#domain';
import { CommandError } from '../errors.js';

/** What is to be generated. Equal requests give equal rows, byte for byte. */
export interface GenerateRequest {
  readonly day: KstDay;
  readonly events: number;
  readonly videos: number;
  readonly creators: number;
  readonly seed: number;
}

export const EVENTS_MAX = 1_000_000_000;
export const VIDEOS_MAX = 10_000_000;
export const SEED_MAX = 4_294_967_295;
const VIDEOS_PER_CREATOR = 10;
/** Partitions of earlier days do not exist. */
const FIRST_DAY = parseKstDay('2020-01-01');

export interface GenerateInput {
  readonly day: string;
  readonly events: string;
  readonly videos: string;
  readonly seed: string;
  readonly creators?: string | undefined;
}

/**
 * Reads the arguments of a generation.
 * @param today the current day in Asia/Seoul: nobody has watched anything after it
 * @throws CommandError INVALID_ARGUMENT naming the option
 * @throws DomainError INVALID_DAY
 */
export function parseGenerateRequest(input: GenerateInput, today: KstDay): GenerateRequest {
  const day = parseKstDay(input.day, '--day');
  if (compareDays(day, today) > 0) throw invalid('--day', `${day} is in the future; today is ${today} in Seoul`);
  if (compareDays(day, FIRST_DAY) < 0) throw invalid('--day', `must not be before ${FIRST_DAY}`);
  const videos = count('--videos', input.videos, { min: 1, max: VIDEOS_MAX });
  const defaultCreators = String(Math.max(1, Math.floor(videos / VIDEOS_PER_CREATOR)));
  return {
    day,
    events: count('--events', input.events, { min: 1, max: EVENTS_MAX }),
    videos,
    creators: count('--creators', input.creators ?? defaultCreators, { min: 1, max: videos }),
    seed: count('--seed', input.seed, { min: 0, max: SEED_MAX }),
  };
}

function count(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw invalid(option, `must be a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}

function invalid(option: string, detail: string): CommandError {
  return new CommandError('INVALID_ARGUMENT', `${option}: ${detail}`);
}
