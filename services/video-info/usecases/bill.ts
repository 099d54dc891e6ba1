import {
  type BillLine,
  type BillTotals,
  billTotals,
  daysOf,
  type ExcludedTotals,
  formatPeriod,
  kstDayOf,
  lineTotal,
  type Period,
  type PeriodKind,
  periodStateOf,
} from '#domain';
import { readBillLines, readTitles, settledDays } from '#lib/results';
import { latestFinalPeriod, requireBegun } from './top-five.js';
import type { Answer, ReadContext, VersionedReads } from './versioned-reads.js';

/** A line as the cache and the answer carry it: ids and money as decimal text. */
export interface BillLineView {
  readonly videoId: string;
  readonly title: string;
  readonly views: string;
  readonly adViews: string;
  readonly excluded: Readonly<Record<string, number>>;
  readonly videoProfit: string;
  readonly adProfit: string;
  readonly adjustments: string;
  readonly total: string;
}

/** One creator's bill of a period: all of its lines, by video id. */
export interface BillView {
  readonly period: Period;
  readonly final: boolean;
  readonly asOfMs: number;
  readonly totals: Readonly<Record<keyof BillTotals, string>>;
  readonly lines: readonly BillLineView[];
}

export interface BillOptions {
  readonly reads: VersionedReads;
  readonly now: () => number;
}

/** Bills with more lines are not kept in the cache: an entry stays small. */
const CACHED_LINES_MAX = 2_000;

/** A creator's bill of a period, the latest final one when none is named. */
export async function bill(
  { reads, now }: BillOptions,
  { creatorId, kind, period }: { creatorId: bigint; kind: PeriodKind; period: Period | undefined },
): Promise<Answer<BillView>> {
  const nowMs = now();
  if (period !== undefined) requireBegun(period, nowMs);
  const name = period === undefined ? `latest@${kstDayOf(nowMs)}` : formatPeriod(period);
  return reads.answer(`bill:${creatorId}:${kind}:${name}`, async (context) => {
    const { settlement, settledFrom } = context.books;
    const settled = { completed: settlement, openedOn: settledFrom };
    const chosen = period ?? latestFinalPeriod(kind, settled, nowMs);
    const value = await readBill(context, { creatorId, period: chosen, nowMs });
    return { value, cacheable: value.final && value.lines.length <= CACHED_LINES_MAX };
  });
}

async function readBill(
  { db, books }: ReadContext,
  { creatorId, period, nowMs }: { creatorId: bigint; period: Period; nowMs: number },
): Promise<BillView> {
  const days = [...daysOf(period.from, period.to)];
  const lines = await readBillLines(db, creatorId, {
    settled: settledDays(books, days),
    billed: days,
  });
  const titles = await readTitles(
    db,
    lines.map((line) => line.videoId),
  );
  const state = periodStateOf({ period, nowMs, completed: books.settlement, openedOn: books.settledFrom });
  return {
    period,
    final: state.final,
    asOfMs: state.asOfMs,
    totals: textOf(billTotals(lines)),
    lines: lines.map((line) => viewOf(line, titles.get(line.videoId) ?? '')),
  };
}

function textOf(totals: BillTotals): BillView['totals'] {
  return Object.fromEntries(Object.entries(totals).map(([name, value]) => [name, String(value)])) as BillView['totals'];
}

function viewOf(line: BillLine, title: string): BillLineView {
  return {
    videoId: String(line.videoId),
    title,
    views: String(line.views),
    adViews: String(line.adViews),
    excluded: countsOf(line.excluded),
    videoProfit: String(line.videoProfit),
    adProfit: String(line.adProfit),
    adjustments: String(line.adjustments),
    total: String(lineTotal(line)),
  };
}

function countsOf(excluded: ExcludedTotals): Record<string, number> {
  return Object.fromEntries(Object.entries(excluded).map(([reason, count]) => [reason, Number(count)]));
}

/** The lines after a video id, a page of them, and the id after which the next page begins. */
export function pageOf(
  lines: readonly BillLineView[],
  { after, size }: { after: bigint; size: number },
): { page: readonly BillLineView[]; next: bigint | null } {
  const start = lines.findIndex((line) => BigInt(line.videoId) > after);
  if (start === -1) return { page: [], next: null };
  const page = lines.slice(start, start + size);
  const last = page.at(-1);
  return { page, next: start + size < lines.length && last !== undefined ? BigInt(last.videoId) : null };
}
