import fc from 'fast-check';
import { firstOf } from '../../../services/batch/domain/top-lists.js';

const ranked = fc.record({ videoId: fc.bigInt({ min: 1n, max: 50n }), amount: fc.bigInt({ min: 0n, max: 5n }) });

describe('the first of several lists', () => {
  test('are the largest amounts, ties to the smaller video id', () => {
    const lists = [
      [
        { videoId: 9n, amount: 3n },
        { videoId: 4n, amount: 2n },
      ],
      [{ videoId: 2n, amount: 3n }],
    ];
    expect(firstOf(lists, 2)).toEqual([
      { videoId: 2n, amount: 3n },
      { videoId: 9n, amount: 3n },
    ]);
  });

  test('are the same however the videos were divided into lists', () => {
    fc.assert(
      fc.property(fc.uniqueArray(ranked, { selector: (video) => video.videoId }), fc.nat(10), (videos, at) => {
        const divided = [videos.slice(0, at), videos.slice(at)];
        const firsts = divided.map((list) => firstOf([list], 5));
        expect(firstOf(firsts, 5)).toEqual(firstOf([videos], 5));
      }),
    );
  });
});
