import fc from 'fast-check';
import { amountOf, type KstDay, TARIFF_V1 } from '#domain';
import { differs, START, settleVideo } from '../../../services/batch/domain/settle-video.js';

const day = '2026-03-01' as KstDay;
const video = (over: object) => ({
  videoId: 1n,
  creatorId: 2n,
  views: 0n,
  adViews: 0n,
  postedViews: 0n,
  postedAdViews: 0n,
  ...over,
});

describe('settling a video', () => {
  test('a first settlement posts views, then advertisements, each from its own position', () => {
    const { postings, position } = settleVideo({
      video: video({ views: 12n, adViews: 45n }),
      position: START,
      tariff: TARIFF_V1,
      day,
      billedOn: day,
    });
    expect(postings.map((p) => [p.kind, p.seq, p.from, p.to, p.amount])).toEqual([
      ['view', 1, 0n, 12n, 12n],
      ['ad', 1, 0n, 45n, 450n],
    ]);
    expect(position).toEqual({
      views: 12n,
      ads: 45n,
      viewSeq: 1,
      adSeq: 1,
      viewDay: '2026-03-01',
      adDay: '2026-03-01',
    });
  });

  test('a video whose units are posted gets nothing', () => {
    const unchanged = video({ views: 12n, postedViews: 12n });
    expect(differs(unchanged)).toBe(false);
    const settled = settleVideo({ video: unchanged, position: START, tariff: TARIFF_V1, day, billedOn: day });
    expect(settled.postings).toEqual([]);
    expect(settled.position).toBe(START);
  });

  test('however the units of a day change, the chain is unbroken and ends at the units', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 2_000_000n), { minLength: 1, maxLength: 20 }), (history) => {
        let position = START;
        let posted = 0n;
        let seq = 0;
        for (const views of history) {
          const settled = settleVideo({
            video: video({ views, postedViews: posted }),
            position,
            tariff: TARIFF_V1,
            day,
            billedOn: day,
          });
          for (const posting of settled.postings) {
            seq += 1;
            expect(posting).toMatchObject({ seq, from: position.views, to: views });
            expect(posting.amount).toBe(amountOf(TARIFF_V1, 'view', posting.from, posting.to));
          }
          position = settled.position;
          posted = views;
        }
        expect(position.views).toBe(history.at(-1));
      }),
    );
  });
});
