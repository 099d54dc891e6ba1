import { createHash } from 'node:crypto';
import type { Statement, StatementVideo } from '../../../services/report/domain/statement.js';

/** Titles of every kind that must print. */
export const TITLES = [
  '오늘의 제주도 여행 12화 🎬',
  'はじめての ラーメン作り 第3話',
  '髙橋の 駅弁 㐂',
  'Après café crème #7 👩‍🍳',
  'Zażółć gęślą jaźń, Türkçe ğışö',
  'Привет мир, 中国電影',
  '=HYPERLINK("http://example.org")',
  'plain, with "quotes" and, commas',
];

/** A statement with that many videos. */
export function statementWith(videos: number): Statement {
  const lines = Array.from({ length: videos }, (_, i): StatementVideo => {
    const [views, adViews, adjustments] = [1_000 + i, 10 + i, i % 3 === 0 ? -7 : 0];
    return {
      videoId: String(5_000 + i),
      title: TITLES[i % TITLES.length]!,
      views,
      adViews,
      videoProfit: views,
      adProfit: adViews * 10,
      adjustments,
      total: views + adViews * 10 + adjustments,
      excluded: i % 2 === 0 ? { SELF_VIEW: 1, REPEAT: 2 + i } : {},
    };
  });
  const sum = (pick: (line: StatementVideo) => number) => lines.reduce((all, line) => all + pick(line), 0);
  const places = TITLES.slice(0, 5).map((title, i) => ({ rank: i + 1, videoId: String(i + 1), title }));
  const content = {
    week: '2026-W47',
    from: '2026-11-16',
    to: '2026-11-22',
    revision: 2,
    creatorId: '42',
    currency: 'KRW' as const,
    asOf: '2026-11-23T00:10:00.000Z',
    topByViews: places.map((place) => ({ ...place, amount: 90_000 - place.rank })),
    topByPlayTime: places.map((place) => ({ ...place, amount: 8_000_000 - place.rank })),
    totals: {
      views: sum((line) => line.views),
      adViews: sum((line) => line.adViews),
      videoProfit: sum((line) => line.videoProfit),
      adProfit: sum((line) => line.adProfit),
      adjustments: sum((line) => line.adjustments),
      total: sum((line) => line.total),
    },
    videos: lines,
  };
  return { content, hash: createHash('sha256').update(JSON.stringify(content)).digest('hex') };
}

/** Records of an RFC 4180 text, as objects by the names of its first line. */
export function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  let field = '';
  let isQuoted = false;
  const source = text.replace(/^\uFEFF/, '');
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at]!;
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (source[at + 1] === '"') {
        field += '"';
        at += 1;
      } else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ',' || character === '\n') {
      rows.at(-1)!.push(field);
      field = '';
      if (character === '\n') rows.push([]);
    } else if (character !== '\r') field += character;
  }
  const [names = [], ...records] = rows.filter((row) => row.length > 0);
  return records.map((record) => Object.fromEntries(names.map((name, i) => [name, record[i] ?? ''])));
}
