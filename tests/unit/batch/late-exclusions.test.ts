import fc from 'fast-check';
import { EXCLUDED_REASONS } from '#domain';
import { type Exclusions, exclusionChanges } from '../../../services/batch/domain/late-exclusions.js';

const NONE = { SELF_VIEW: 0n, REPEAT: 0n, TOO_SHORT: 0n, REVOKED: 0n };
const of = (videoId: bigint, counts: Partial<Exclusions['counts']>): Exclusions => ({
  videoId,
  creatorId: 7n,
  counts: { ...NONE, ...counts },
});

describe('what exclusions have changed by', () => {
  test('is of the videos on which they have, new and gone ones among them', () => {
    const before = [of(1n, { SELF_VIEW: 1n }), of(2n, { REPEAT: 2n }), of(3n, { REVOKED: 1n })];
    const after = [of(1n, { SELF_VIEW: 1n }), of(2n, { REPEAT: 1n, REVOKED: 3n }), of(4n, { TOO_SHORT: 1n })];
    expect(exclusionChanges(before, after)).toEqual([
      of(2n, { REPEAT: -1n, REVOKED: 3n }),
      of(3n, { REVOKED: -1n }),
      of(4n, { TOO_SHORT: 1n }),
    ]);
  });

  test('taken from what is known now, gives what was known before', () => {
    const count = fc.bigInt({ min: 0n, max: 3n });
    const counts = fc.record({ SELF_VIEW: count, REPEAT: count, TOO_SHORT: count, REVOKED: count });
    const video = fc.record({ videoId: fc.bigInt({ min: 1n, max: 6n }), creatorId: fc.constant(7n), counts });
    const known = fc.uniqueArray(video, { selector: ({ videoId }) => videoId });
    fc.assert(
      fc.property(known, known, (before, after) => {
        const changes = exclusionChanges(before, after);
        for (let videoId = 1n; videoId <= 6n; videoId += 1n) {
          for (const reason of EXCLUDED_REASONS) {
            const sum = (list: readonly Exclusions[]) =>
              list.find((one) => one.videoId === videoId)?.counts[reason] ?? 0n;
            expect(sum(after) - sum(changes)).toBe(sum(before));
          }
        }
      }),
    );
  });
});
