import type { ExcludedReasonName } from './validity.js';

/** Excluded events by reason; a reason without events is absent. */
export type ExcludedTotals = Readonly<Partial<Record<ExcludedReasonName, bigint>>>;

/**
 * A video in a creator's bill of a period. Profits are of the postings that are billed on their event day, adjustments
 * of those billed on a day of the period but of an earlier event day. Money in won.
 */
export interface BillLine {
  readonly videoId: bigint;
  readonly views: bigint;
  readonly adViews: bigint;
  readonly excluded: ExcludedTotals;
  readonly videoProfit: bigint;
  readonly adProfit: bigint;
  readonly adjustments: bigint;
}

export interface BillTotals {
  readonly views: bigint;
  readonly adViews: bigint;
  readonly videoProfit: bigint;
  readonly adProfit: bigint;
  readonly adjustments: bigint;
  readonly total: bigint;
}

/** What a line comes to, in won. */
export function lineTotal(line: Pick<BillLine, 'videoProfit' | 'adProfit' | 'adjustments'>): bigint {
  return line.videoProfit + line.adProfit + line.adjustments;
}

/** The sums of all lines. */
export function billTotals(lines: Iterable<BillLine>): BillTotals {
  const totals = { views: 0n, adViews: 0n, videoProfit: 0n, adProfit: 0n, adjustments: 0n, total: 0n };
  for (const line of lines) {
    totals.views += line.views;
    totals.adViews += line.adViews;
    totals.videoProfit += line.videoProfit;
    totals.adProfit += line.adProfit;
    totals.adjustments += line.adjustments;
    totals.total += lineTotal(line);
  }
  return totals;
}
