import { createHash } from 'node:crypto';
import { PdfRenderer } from '../../services/report/adapters/pdf/renderer.js';
import type { Statement, StatementVideo } from '../../services/report/domain/statement.js';
import { type Bench, printTable, seconds } from './support.js';

const VIDEOS = 10;
const DOCUMENTS = 5_000;
const SAMPLES = 10;
const TITLES = [
  '오늘의 제주도 여행',
  'はじめての ラーメン作り',
  'Après café crème',
  '주말 한강 자전거 🚲',
  'A quiet night market',
];

/**
 * PDFs of statements with ten videos and the Top 5, each of another creator: by one thread, by two, and memory over
 * 5,000 of them. Needs no databases.
 */
export const statements: Bench = {
  name: 'statements',
  needsStack: false,
  async run(_stack, options) {
    const few = options.quick ? 50 : 300;
    const rows: string[][] = [];
    for (const threads of [1, 2]) {
      const renderer = new PdfRenderer({ threads });
      await renderMany(renderer, { documents: threads * 5, from: 0 });
      const took = await seconds(() => renderMany(renderer, { documents: few, from: 1_000 }));
      rows.push([String(threads), String(few), (few / took).toFixed(1), ((1_000 * threads * took) / few).toFixed(0)]);
      await renderer.close();
    }
    printTable(['threads', 'documents', 'PDFs/s', 'ms of a thread each'], rows);
    await measureMemory(options.quick ? 200 : DOCUMENTS);
  },
};

/** Resident memory of the process, threads included, as the documents go by. */
async function measureMemory(documents: number): Promise<void> {
  const renderer = new PdfRenderer({ threads: 2 });
  const rows: string[][] = [];
  const part = documents / SAMPLES;
  for (let sample = 1; sample <= SAMPLES; sample += 1) {
    const took = await seconds(() => renderMany(renderer, { documents: part, from: sample * part }));
    rows.push([String(sample * part), (process.memoryUsage().rss / 2 ** 20).toFixed(0), (part / took).toFixed(1)]);
  }
  await renderer.close();
  printTable(['documents', 'RSS MB', 'PDFs/s'], rows);
}

async function renderMany(renderer: PdfRenderer, { documents, from }: { documents: number; from: number }) {
  let next = 0;
  const worker = async () => {
    while (next < documents) {
      next += 1;
      await renderer.render(statementOf(from + next));
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

function statementOf(n: number): Statement {
  const videos = Array.from({ length: VIDEOS }, (_, i): StatementVideo => {
    const views = (n * 31 + i * 17) % 100_000;
    return {
      videoId: String(n * 100 + i),
      title: `${TITLES[(n + i) % TITLES.length]} ${n * 100 + i}`,
      views,
      adViews: views,
      videoProfit: views,
      adProfit: views * 10,
      adjustments: 0,
      total: views * 11,
      excluded: { REPEAT: i },
    };
  });
  const sum = (pick: (video: StatementVideo) => number) => videos.reduce((all, video) => all + pick(video), 0);
  const places = TITLES.map((title, i) => ({ rank: i + 1, videoId: String(i + 1), title, amount: 90_000 - i * 9_999 }));
  const content = {
    week: '2026-W47',
    from: '2026-11-16',
    to: '2026-11-22',
    revision: 1,
    creatorId: String(n),
    currency: 'KRW' as const,
    asOf: '2026-11-23T00:10:00.000Z',
    topByViews: places,
    topByPlayTime: places,
    totals: {
      views: sum((video) => video.views),
      adViews: sum((video) => video.adViews),
      videoProfit: sum((video) => video.videoProfit),
      adProfit: sum((video) => video.adProfit),
      adjustments: 0,
      total: sum((video) => video.total),
    },
    videos,
  };
  return { content, hash: createHash('sha256').update(JSON.stringify(content)).digest('hex') };
}
