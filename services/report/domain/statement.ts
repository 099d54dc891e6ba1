import { type BillLine, billTotals, type IsoWeek, lineTotal, weekRange } from '#domain';

/** A video's place in the platform's Top 5 of the week. */
export interface StatementPlace {
  readonly rank: number;
  readonly videoId: string;
  readonly title: string;
  /** Views, or seconds of play time. */
  readonly amount: number;
}

export interface StatementAmounts {
  readonly views: number;
  readonly adViews: number;
  readonly videoProfit: number;
  readonly adProfit: number;
  readonly adjustments: number;
  readonly total: number;
}

export interface StatementVideo extends StatementAmounts {
  readonly videoId: string;
  readonly title: string;
  readonly excluded: Readonly<Record<string, number>>;
}

/** The creator's part of a statement. */
export interface Settlement {
  readonly totals: StatementAmounts;
  readonly videos: readonly StatementVideo[];
}

/**
 * What a statement says: the snapshot that JSON, CSV and PDF are made from. Amounts are whole won. The order of its
 * fields is part of its hash.
 */
export interface StatementContent extends Settlement {
  readonly week: string;
  readonly from: string;
  readonly to: string;
  readonly revision: number;
  readonly creatorId: string;
  readonly currency: 'KRW';
  /** Instant that the settlement reaches, RFC 3339. */
  readonly asOf: string;
  readonly topByViews: readonly StatementPlace[];
  readonly topByPlayTime: readonly StatementPlace[];
}

/** A stored statement; `hash` is the SHA-256 of its content's text, in hexadecimal. */
export interface Statement {
  readonly content: StatementContent;
  readonly hash: string;
}

/** The creator's part from the lines of the bill. @throws Error for an amount beyond what JSON carries exactly */
export function settlementOf(lines: readonly BillLine[], titles: ReadonlyMap<bigint, string>): Settlement {
  const totals = billTotals(lines);
  return {
    totals: amountsOf(totals),
    videos: lines.map((line) => ({
      videoId: String(line.videoId),
      title: titles.get(line.videoId) ?? '',
      ...amountsOf({ ...line, total: lineTotal(line) }),
      excluded: Object.fromEntries(
        Object.entries(line.excluded).map(([reason, count]) => [reason, exactNumber(count)]),
      ),
    })),
  };
}

type BigAmounts = { readonly [Key in keyof StatementAmounts]: bigint };

function amountsOf(of: BigAmounts): StatementAmounts {
  return {
    views: exactNumber(of.views),
    adViews: exactNumber(of.adViews),
    videoProfit: exactNumber(of.videoProfit),
    adProfit: exactNumber(of.adProfit),
    adjustments: exactNumber(of.adjustments),
    total: exactNumber(of.total),
  };
}

function exactNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`${value} is too large for an exact JSON number`);
  return number;
}

export interface ContentInput {
  readonly week: IsoWeek;
  readonly creatorId: bigint;
  readonly revision: number;
  readonly asOf: string;
  readonly settlement: Settlement;
  readonly topByViews: readonly StatementPlace[];
  readonly topByPlayTime: readonly StatementPlace[];
}

/** Puts a snapshot together. */
export function contentOf(input: ContentInput): StatementContent {
  const { from, to } = weekRange(input.week);
  return {
    week: input.week,
    from,
    to,
    revision: input.revision,
    creatorId: String(input.creatorId),
    currency: 'KRW',
    asOf: input.asOf,
    topByViews: input.topByViews,
    topByPlayTime: input.topByPlayTime,
    totals: input.settlement.totals,
    videos: input.settlement.videos,
  };
}

/**
 * What makes a revision: the creator's numbers. A new title or another creator's place in the Top 5 makes none.
 */
export function settlementText({ totals, videos }: Settlement): string {
  return JSON.stringify([totals, videos.map(({ title: _title, ...numbers }) => numbers)]);
}
