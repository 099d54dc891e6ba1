import type { Statement, StatementAmounts, StatementPlace } from './statement.js';

const REASONS = ['SELF_VIEW', 'REPEAT', 'TOO_SHORT', 'REVOKED'] as const;

/** Every row has all columns; `record` says what it is: statement, topByViews, topByPlayTime, video or total. */
export const CSV_COLUMNS = [
  'record',
  'week',
  'from',
  'to',
  'revision',
  'creatorId',
  'asOf',
  'contentHash',
  'rank',
  'videoId',
  'title',
  'views',
  'playTimeSeconds',
  'adViews',
  ...REASONS.map((reason) => `excluded_${reason}`),
  'videoProfit',
  'adProfit',
  'adjustments',
  'total',
] as const;

type Row = Partial<Record<(typeof CSV_COLUMNS)[number], string | number>>;

/**
 * The statement as RFC 4180 text in UTF-8 with a byte order mark, by which spreadsheets know it. Text that a
 * spreadsheet would take for a formula is written with an apostrophe before it.
 */
export function statementCsv({ content, hash }: Statement): string {
  const { week, from, to, revision, creatorId, asOf } = content;
  const rows: Row[] = [
    { record: 'statement', week, from, to, revision, creatorId, asOf, contentHash: hash },
    ...content.topByViews.map((place) => ({ ...placeRow('topByViews', place), views: place.amount })),
    ...content.topByPlayTime.map((place) => ({ ...placeRow('topByPlayTime', place), playTimeSeconds: place.amount })),
    ...content.videos.map((video) => ({
      record: 'video',
      videoId: video.videoId,
      title: video.title,
      ...amountsRow(video),
      ...Object.fromEntries(REASONS.map((reason) => [`excluded_${reason}`, video.excluded[reason] ?? 0])),
    })),
    { record: 'total', ...amountsRow(content.totals) },
  ];
  const lines = rows.map((row) => CSV_COLUMNS.map((column) => cell(row[column])).join(','));
  return `\uFEFF${[CSV_COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function placeRow(record: string, { rank, videoId, title }: StatementPlace): Row {
  return { record, rank, videoId, title };
}

function amountsRow({ views, adViews, videoProfit, adProfit, adjustments, total }: StatementAmounts): Row {
  return { views, adViews, videoProfit, adProfit, adjustments, total };
}

/** Characters that begin a formula in a spreadsheet (OWASP, "CSV injection"), the full-width ones included. */
const FORMULA_START = /^[\s]*[=+\-@\t\r＝＋－＠]/;

function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA_START.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) || text !== value ? `"${text.replaceAll('"', '""')}"` : text;
}
