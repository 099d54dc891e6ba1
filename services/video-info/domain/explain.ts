import { type PostingKind, type Rounding, slicesOf, type Tier } from '#domain';

/** Part of a posting at one price. From a higher to a lower position, with a negative amount, in a correction. */
export interface ExplainedSlice {
  readonly from: bigint;
  readonly to: bigint;
  readonly unitPriceTenths: bigint;
  /** Exact, in tenths of a won; the posting's amount is rounded once over all of its slices. */
  readonly amountTenths: bigint;
}

/** A stored posting with what explains it. */
export interface ExplainedPosting {
  readonly kind: PostingKind;
  readonly day: string;
  readonly billedOn: string;
  /** RFC 3339. */
  readonly postedAt: string | null;
  readonly cause: string;
  readonly tariffVersion: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly rounding: Rounding;
  readonly amount: bigint;
}

/** The slices of a posting, along its direction. Settlement rules 1 to 3. */
export function explainSlices(tiers: readonly Tier[], from: bigint, to: bigint): ExplainedSlice[] {
  if (to >= from) return slicesOf(tiers, from, to);
  return slicesOf(tiers, to, from)
    .map((slice) => ({
      from: slice.to,
      to: slice.from,
      unitPriceTenths: slice.unitPriceTenths,
      amountTenths: -slice.amountTenths,
    }))
    .reverse();
}
