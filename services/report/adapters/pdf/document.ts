import type { Content, TableCell, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import type { Statement, StatementAmounts, StatementPlace, StatementVideo } from '../../domain/statement.js';
import { BAR_ROW_HEIGHT, barChart } from './chart.js';
import { BASE_FAMILY } from './fonts.js';
import { textRuns } from './text-runs.js';

const VIEWS_COLOR = '#2563eb';
const PLAY_TIME_COLOR = '#0d9488';
const MUTED = '#4b5563';
const RULE = '#9ca3af';
const BARS_WIDTH = 150;
/** Above and below a cell of a table without borders. */
const CELL_PADDING = 4;

/** The statement as an A4 document: what it is, totals, the platform's Top 5, and the settlement of every video. */
export function statementDocument(statement: Statement): TDocumentDefinitions {
  const { content, hash } = statement;
  return {
    pageSize: 'A4',
    pageMargins: [36, 58, 36, 58],
    info: { title: `Playbill statement ${content.week}`, author: 'Playbill', subject: `Creator ${content.creatorId}` },
    defaultStyle: { font: BASE_FAMILY, fontSize: 9, lineHeight: 1.15, color: '#111827' },
    header: () => headerOf(statement),
    footer: (page, pages) => footerOf(statement, page, pages),
    content: [
      { text: `주간 정산서 ${content.week}`, fontSize: 18, bold: true },
      { text: 'Weekly statement', fontSize: 11, color: MUTED, margin: [0, 0, 0, 8] },
      facts([
        ['기간 Period', `${content.from} – ${content.to} (Asia/Seoul)`],
        ['크리에이터 Creator', content.creatorId],
        ['개정 Revision', String(content.revision)],
        ['기준 As of', content.asOf],
        ['SHA-256', hash],
      ]),
      heading('정산 합계', 'Totals'),
      totalsTable(content.totals),
      heading('이 주의 Top 5', "The platform's Top 5 of the week"),
      topFive(content.topByViews, content.topByPlayTime),
      heading('동영상별 정산', `Settlement per video (${grouped(content.videos.length)})`),
      content.videos.length === 0
        ? { text: '이 주의 정산 내역이 없습니다. There is nothing to settle in this week.', color: MUTED }
        : videosTable(content.videos, content.totals),
    ],
  };
}

function headerOf({ content }: Statement): Content {
  return {
    margin: [36, 24, 36, 0],
    columns: [
      { text: 'Playbill', bold: true, fontSize: 10 },
      { text: `${content.week} · ${content.from} – ${content.to}`, alignment: 'right', fontSize: 8, color: MUTED },
    ],
  };
}

function footerOf({ content, hash }: Statement, page: number, pages: number): Content {
  return {
    margin: [36, 16, 36, 0],
    fontSize: 7,
    color: MUTED,
    columns: [
      { text: `creator ${content.creatorId} · revision ${content.revision} · sha256 ${hash}`, width: '*' },
      { text: `${page} / ${pages}`, width: 60, alignment: 'right' },
    ],
  };
}

function heading(korean: string, english: string): Content {
  return {
    text: [
      { text: korean, bold: true },
      { text: `  ${english}`, color: MUTED, fontSize: 9 },
    ],
    fontSize: 12,
    margin: [0, 14, 0, 5],
    headlineLevel: 1,
  };
}

function facts(rows: readonly (readonly [string, string])[]): Content {
  return {
    layout: 'noBorders',
    table: {
      widths: [105, '*'],
      body: rows.map(([name, value]) => [{ text: name, color: MUTED }, value]),
    },
  };
}

const AMOUNT_TITLES: readonly (readonly [keyof StatementAmounts, string])[] = [
  ['views', '조회수\nViews'],
  ['adViews', '광고 시청\nAd views'],
  ['videoProfit', '조회 수익\nView profit ₩'],
  ['adProfit', '광고 수익\nAd profit ₩'],
  ['adjustments', '조정\nAdjustments ₩'],
  ['total', '합계\nTotal ₩'],
];

function totalsTable(totals: StatementAmounts): Content {
  return {
    layout: ruled(),
    table: {
      widths: AMOUNT_TITLES.map(() => '*'),
      body: [
        AMOUNT_TITLES.map(([, title]) => headCell(title)),
        AMOUNT_TITLES.map(([name]) => ({ ...number(totals[name]), bold: name === 'total', fontSize: 11 })),
      ],
    },
  };
}

function topFive(byViews: readonly StatementPlace[], byPlayTime: readonly StatementPlace[]): Content {
  const [views, playTime] = [
    topList('조회수 By views', byViews, { color: VIEWS_COLOR, show: grouped }),
    topList('재생 시간 By play time', byPlayTime, { color: PLAY_TIME_COLOR, show: duration }),
  ];
  return { columns: [views, playTime], columnGap: 20, unbreakable: true } as Content;
}

function topList(
  title: string,
  places: readonly StatementPlace[],
  { color, show }: { color: string; show: (value: number) => string },
): Content {
  if (places.length === 0)
    return {
      stack: [
        { text: title, bold: true },
        { text: '없음 None', color: MUTED },
      ],
    };
  const chart = barChart(
    places.map((place) => place.amount),
    { width: BARS_WIDTH, color },
  );
  return {
    stack: [
      { text: title, bold: true, margin: [0, 0, 0, 3] },
      {
        layout: 'noBorders',
        fontSize: 8,
        table: {
          widths: [8, BARS_WIDTH, '*'],
          heights: BAR_ROW_HEIGHT - CELL_PADDING,
          body: places.map((place, i) => [
            { text: String(place.rank), color: MUTED },
            i === 0 ? ({ svg: chart, rowSpan: places.length, margin: [0, -2, 0, 0] } as TableCell) : '',
            { text: show(place.amount), alignment: 'right', noWrap: true },
          ]),
        },
      },
      {
        layout: 'noBorders',
        margin: [0, 4, 0, 0],
        fontSize: 8,
        table: {
          widths: [8, '*'],
          body: places.map((place) => [{ text: String(place.rank), color: MUTED }, titleOf(place)]),
        },
      },
    ],
  };
}

function videosTable(videos: readonly StatementVideo[], totals: StatementAmounts): Content {
  const head: TableCell[] = [headCell('동영상\nVideo', 'left'), ...AMOUNT_TITLES.map(([, title]) => headCell(title))];
  const foot: TableCell[] = [
    { text: '합계 Total', bold: true },
    ...AMOUNT_TITLES.map(([name]) => ({ ...number(totals[name]), bold: true })),
  ];
  return {
    layout: ruled(),
    fontSize: 8,
    table: {
      headerRows: 1,
      dontBreakRows: true,
      keepWithHeaderRows: 1,
      widths: ['*', 44, 44, 58, 58, 62, 62],
      body: [
        head,
        ...videos.map((video) => [videoCell(video), ...AMOUNT_TITLES.map(([name]) => number(video[name]))]),
        foot,
      ],
    },
  };
}

function videoCell(video: StatementVideo): TableCell {
  const excluded = Object.entries(video.excluded).map(([reason, count]) => `${reason} ${grouped(count)}`);
  const note = excluded.length === 0 ? '' : ` · excluded: ${excluded.join(', ')}`;
  return { stack: [titleOf(video), { text: `#${video.videoId}${note}`, fontSize: 6.5, color: MUTED }] };
}

/** A title in the fonts that have its characters. */
function titleOf({ title }: { title: string }): Content {
  return { text: textRuns(title).map(({ text, font }) => ({ text, font })) };
}

function headCell(title: string, alignment: 'left' | 'right' = 'right'): TableCell {
  return { text: title, alignment, fontSize: 7, color: MUTED };
}

function number(value: number): { text: string; alignment: 'right' } {
  return { text: grouped(value), alignment: 'right' };
}

function ruled() {
  return {
    hLineWidth: (row: number, node: { table: { body: unknown[] } }) =>
      row <= 1 || row >= node.table.body.length - 1 ? 0.7 : 0.3,
    vLineWidth: () => 0,
    hLineColor: () => RULE,
    paddingLeft: () => 3,
    paddingRight: () => 3,
    paddingTop: () => 2,
    paddingBottom: () => 2,
  };
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** Seconds as hours, minutes and seconds, e.g. `1,234:05:09`. */
function duration(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${grouped(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
