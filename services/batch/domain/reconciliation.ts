import type { KstDay } from '#domain';

/** What can be wrong between two records, or within one. Stable: operators and programs look for these. */
export const DIFFERENCE_KINDS = [
  'events/statistics',
  'statistics/day',
  'statistics/postings',
  'posting/amount',
  'posting/tariff',
  'posting/creator',
  'posting/billing',
  'position/chain',
  'position/end',
  'postings/ledger',
  'ledger/chain',
  'ledger/head',
  'ledger/balance',
  'day/missing',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** One thing that is wrong, in words, with the keys of the rows to look at. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly detail: string;
  readonly keys: Readonly<Record<string, string | number>>;
}

/** A day's records side by side. Money and counts are exact: numbers beyond 2^53 − 1 are refused, never rounded. */
export interface Reconciliation {
  readonly day: KstDay;
  readonly settled: boolean;
  readonly events: number;
  readonly counted: number;
  readonly excluded: number;
  readonly statistics: {
    readonly videos: number;
    readonly views: number;
    readonly playTimeSeconds: number;
    readonly adViews: number;
    readonly excluded: number;
  };
  readonly postings: {
    readonly count: number;
    readonly views: number;
    readonly adViews: number;
    readonly amount: number;
  };
  readonly ledger: { readonly entries: number; readonly creators: number; readonly amount: number };
  /** Empty when the day is proven. At most 100 of a kind are listed. */
  readonly differences: readonly Difference[];
}

/** What only the whole books can show. */
export interface BooksReconciliation {
  readonly openedOn: KstDay | null;
  readonly lastSettledDay: KstDay | null;
  /** Days with events, statistics or postings, up to the last settled one: each is proven by its own reconciliation. */
  readonly days: readonly KstDay[];
  /** Days with events after the last settled one. */
  readonly open: readonly KstDay[];
  readonly postings: { readonly count: number; readonly amount: number };
  readonly ledger: { readonly entries: number; readonly creators: number; readonly amount: number };
  readonly differences: readonly Difference[];
}

/** @throws RangeError when the number is too large for an exact JSON integer */
export function exactNumber(value: bigint | string | number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large for an exact number`);
  return number;
}
