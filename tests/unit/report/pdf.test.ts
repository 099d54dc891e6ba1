import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { renderStatement } from '../../../services/report/adapters/pdf/render.js';
import { textRuns } from '../../../services/report/adapters/pdf/text-runs.js';
import { statementWith, TITLES } from './support.js';

interface Page {
  readonly text: string;
}

/** The text of each page, without spaces: where a line breaks is not what is compared. */
async function pagesOf(pdf: Buffer): Promise<Page[]> {
  const document = await getDocument({ data: new Uint8Array(pdf), useSystemFonts: false, verbosity: 0 }).promise;
  const pages: Page[] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const { items } = await (await document.getPage(number)).getTextContent();
    pages.push({ text: plain(items.map((item) => ('str' in item ? item.str : '')).join('')) });
  }
  await document.destroy();
  return pages;
}

/** Emoji may come as one glyph of several characters; the parts that have no shape are not compared. */
function plain(text: string): string {
  return text.normalize('NFC').replace(/\s|\u200d|\ufe0f/gu, '');
}

const grouped = (value: number) => value.toLocaleString('en-US');

describe('the PDF of a statement', () => {
  const statement = statementWith(12);
  let pages: Page[];
  let text: string;

  beforeAll(async () => {
    pages = await pagesOf(await renderStatement(statement));
    text = pages.map((page) => page.text).join('');
  }, 60_000);

  test('says which statement it is, on every page', () => {
    const { content, hash } = statement;
    expect(text).toContain(plain(`${content.from} – ${content.to}`));
    pages.forEach((page, i) => {
      expect(page.text).toContain(
        plain(`creator ${content.creatorId} · revision ${content.revision} · sha256 ${hash}`),
      );
      expect(page.text).toContain(`${i + 1}/${pages.length}`);
    });
  });

  test('has every video with the numbers of the snapshot', () => {
    for (const video of statement.content.videos) {
      const numbers = [video.views, video.adViews, video.videoProfit, video.adProfit, video.adjustments, video.total];
      const excluded = Object.entries(video.excluded).map(([reason, count]) => `${reason} ${grouped(count)}`);
      const note = excluded.length === 0 ? '' : ` · excluded: ${excluded.join(', ')}`;
      expect(text).toContain(plain(`#${video.videoId}${note}${numbers.map(grouped).join('')}`));
    }
  });

  test('has the totals and both lists of the Top 5', () => {
    const { totals, topByViews } = statement.content;
    const all = [totals.views, totals.adViews, totals.videoProfit, totals.adProfit, totals.adjustments, totals.total];
    expect(text).toContain(plain(all.map(grouped).join('')));
    for (const place of topByViews) expect(text).toContain(grouped(place.amount));
  });

  test.each(TITLES)('prints %s', (title) => {
    expect(text).toContain(plain(title));
  });

  test('is readable with a thousand videos: every page repeats the table head, no row is lost', async () => {
    const long = statementWith(1_000);
    const all = await pagesOf(await renderStatement(long));
    const body = all.slice(1);
    for (const page of body.slice(0, -1)) expect(page.text).toContain('Adprofit₩');
    const joined = all.map((page) => page.text).join('');
    for (const video of long.content.videos) expect(joined).toContain(`#${video.videoId}`);
    expect(all.length).toBeLessThan(60);
  }, 120_000);
});

describe('a text is cut into runs of fonts that have its characters', () => {
  test('an emoji of several code points stays whole', () => {
    expect(textRuns('요리 👩‍🍳')).toEqual([
      { text: '요리 ', font: 'Korean' },
      { text: '👩‍🍳', font: 'Emoji' },
    ]);
  });

  test('a character that no font has is shown by its code point', () => {
    expect(textRuns('a ก')).toEqual([{ text: 'a [U+0E01]', font: 'Korean' }]);
  });

  test('characters without a shape are left out', () => {
    expect(textRuns('a\u0007b\u0000')).toEqual([{ text: 'ab', font: 'Korean' }]);
  });
});
