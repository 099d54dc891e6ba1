import type { KstDay } from './calendar.js';
import { DomainError } from './errors.js';
import { formatTenths, type Won } from './money.js';
import { amountOf, type PostingKind, slicesOf, type Tariff, type TariffSlice, tiersOf } from './tariff.js';

/** What a posting will say of positions and money. `to` < `from` is a correction downwards, with `amount` ≤ 0. */
export interface PlannedPosting {
  readonly from: bigint;
  readonly to: bigint;
  readonly amount: Won;
}

export interface PostingInput {
  /** The tariff in effect on the event day. */
  readonly tariff: Pick<Tariff, 'rounding' | 'view' | 'ad'>;
  readonly kind: PostingKind;
  /** Where the video's chain of this kind ends now: its opening position when nothing was posted. */
  readonly position: bigint;
  /** Counted units of the event day in its statistics now. */
  readonly units: bigint;
  /** Units already posted for the event day: the sum of (to − from) of its postings. */
  readonly postedUnits: bigint;
}

/**
 * The posting that brings what is posted for a day to what its statistics say, from the chain's present end: the whole
 * day at first, a difference of either sign later, null when there is none. Settlement rules 3 and 5.
 * @throws DomainError INVALID_POSITION for negative units, or a correction below position 0 (a broken chain).
 */
export function planPosting(input: PostingInput): PlannedPosting | null {
  const { tariff, kind, position, units, postedUnits } = input;
  if (units < 0n || position < 0n) {
    throw new DomainError('INVALID_POSITION', `Units and position must not be negative, got ${units} at ${position}.`);
  }
  const difference = units - postedUnits;
  if (difference === 0n) return null;
  const to = position + difference;
  if (to < 0n) throw new DomainError('INVALID_POSITION', `A correction of ${difference} at ${position} is below 0.`);
  return { from: position, to, amount: amountOf(tariff, kind, position, to) };
}

/** A slice as the API shows it. `unitPrice` and `amount` are exact won as text with one decimal (`1.1`, `-3.3`). */
export interface ExplainedSlice extends TariffSlice {
  readonly unitPrice: string;
  readonly amount: string;
}

export interface PostingExplanation {
  /** Contiguous from the posting's `from` to its `to`; descending, with negative amounts, for a correction downwards. */
  readonly slices: readonly ExplainedSlice[];
  /** The exact sum of the slices, in tenths of a won. */
  readonly exactTenths: bigint;
  /** What is posted: `exactTenths` after the tariff's rounding; less than one won away from it. */
  readonly amount: Won;
}

function explainSlice(slice: TariffSlice): ExplainedSlice {
  return { ...slice, unitPrice: formatTenths(slice.unitPriceTenths), amount: formatTenths(slice.amountTenths) };
}

/**
 * Explains a posting down to positions, slices and prices. Settlement rule 7.
 * @throws DomainError INVALID_POSITION for a negative position.
 */
export function explainPosting(
  tariff: Pick<Tariff, 'rounding' | 'view' | 'ad'>,
  kind: PostingKind,
  from: bigint,
  to: bigint,
): PostingExplanation {
  const isDownwards = to < from;
  const tiers = tiersOf(tariff, kind);
  const slices = isDownwards
    ? slicesOf(tiers, to, from)
        .reverse()
        .map((slice) => ({ ...slice, from: slice.to, to: slice.from, amountTenths: -slice.amountTenths }))
    : slicesOf(tiers, from, to);
  return {
    slices: slices.map(explainSlice),
    exactTenths: slices.reduce((sum, slice) => sum + slice.amountTenths, 0n),
    amount: amountOf(tariff, kind, from, to),
  };
}

/** A posting (by its place in the chain, from 0) that does not start where the one before ended. */
export interface ChainBreak {
  readonly index: number;
  readonly expectedFrom: bigint;
  readonly from: bigint;
}

export interface ChainCheck {
  /** Where the chain ends: the opening position when there are no postings. */
  readonly end: bigint;
  /** Empty when the chain is unbroken. */
  readonly breaks: readonly ChainBreak[];
}

/**
 * Checks that the postings of one video and kind, in the order in which they were made, form one unbroken chain from
 * the opening position. Reports every break and goes on from where the posting really ended. Settlement rule 5.
 */
export function verifyChain(
  opening: bigint,
  postings: Iterable<{ readonly from: bigint; readonly to: bigint }>,
): ChainCheck {
  const breaks: ChainBreak[] = [];
  let end = opening;
  let index = 0;
  for (const { from, to } of postings) {
    if (from !== end) breaks.push({ index, expectedFrom: end, from });
    end = to;
    index += 1;
  }
  return { end, breaks };
}

export interface BilledOnInput {
  readonly eventDay: KstDay;
  /** Whether the event day is at or before the last settled day, so that this posting is an adjustment. */
  readonly daySettledBefore: boolean;
  /** The day (Asia/Seoul) on which the posting is made. */
  readonly postingDay: KstDay;
}

/**
 * The day on whose bill a posting appears: the event day itself the first time, the day of the posting for an
 * adjustment, so that a bill once made does not change. Settlement rule 3.
 */
export function billedOnFor({ eventDay, daySettledBefore, postingDay }: BilledOnInput): KstDay {
  return daySettledBefore ? postingDay : eventDay;
}
