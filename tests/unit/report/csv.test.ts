import { statementCsv } from '../../../services/report/domain/csv.js';
import { parseCsv, statementWith } from './support.js';

const statement = statementWith(12);
const records = parseCsv(statementCsv(statement));
const of = (record: string) => records.filter((row) => row.record === record);

describe('the CSV of a statement', () => {
  test('says which statement it is', () => {
    const { week, revision, creatorId } = statement.content;
    expect(of('statement')).toEqual([
      expect.objectContaining({ week, revision: String(revision), creatorId, contentHash: statement.hash }),
    ]);
  });

  test('has every video with all of its numbers', () => {
    expect(
      of('video').map(({ videoId, views, total, excluded_REPEAT }) => [videoId, views, total, excluded_REPEAT]),
    ).toEqual(
      statement.content.videos.map((video) => [
        video.videoId,
        String(video.views),
        String(video.total),
        String(video.excluded.REPEAT ?? 0),
      ]),
    );
  });

  test('has the totals, and both lists of the Top 5', () => {
    const { totals } = statement.content;
    expect(of('total')).toEqual([
      expect.objectContaining({ total: String(totals.total), views: String(totals.views) }),
    ]);
    expect([of('topByViews').length, of('topByPlayTime').length]).toEqual([5, 5]);
  });

  test('gives a spreadsheet no formula', () => {
    const titles = of('video').map((row) => row.title);
    expect(titles).toContain(`'=HYPERLINK("http://example.org")`);
    expect(titles.filter((title) => /^[=+\-@]/.test(title ?? ''))).toEqual([]);
  });

  test('begins with the mark by which spreadsheets know UTF-8, and ends its lines as RFC 4180 has it', () => {
    const text = statementCsv(statement);
    expect(text.codePointAt(0)).toBe(0xfeff);
    expect(text.endsWith('\r\n')).toBe(true);
  });
});
