import { chooseReader, inPreferredOrder } from '../../../services/batch/usecases/choose-reader.js';
import type { Context } from '../../../services/batch/usecases/context.js';

describe('the database replica that a batch replica reads', () => {
  test('differs between two batch replicas, and each has the other as its second choice', () => {
    expect(inPreferredOrder(['r1', 'r2'], 'batch-1')).toEqual(['r2', 'r1']);
    expect(inPreferredOrder(['r1', 'r2'], 'batch-2')).toEqual(['r1', 'r2']);
  });

  test('is not the same for all where names have no number, as those of pods', () => {
    const pods = Array.from({ length: 26 }, (_, i) => `batch-6d5f7c9b8-x2v4${String.fromCharCode(97 + i)}`);
    const first = pods.map((pod) => inPreferredOrder(['r1', 'r2'], pod)[0]);
    for (const replica of ['r1', 'r2']) expect(first.filter((one) => one === replica).length).toBeGreaterThan(5);
  });

  test('is waited for once while it is behind, then only looked at, and taken again when it has caught up', async () => {
    const replicas = [
      { isInitialized: true, name: 'r1' },
      { isInitialized: true, name: 'r2' },
    ];
    const caughtUp = new Set<unknown>();
    const waits: number[] = [];
    const context = {
      replica: 'batch-2',
      config: { BATCH_REPLICA_WAIT_MS: 3_000 },
      logger: { warn: () => undefined },
      database: {
        primary: 'primary',
        replicas,
        dialect: {
          waitForPosition: async (replica: unknown, _position: string, timeoutMs: number) => {
            waits.push(timeoutMs);
            return caughtUp.has(replica);
          },
        },
      },
    } as unknown as Context;
    expect(await chooseReader(context, 'p')).toBe('primary');
    expect(await chooseReader(context, 'p')).toBe('primary');
    expect(waits).toEqual([3_000, 3_000, 0, 0]);
    caughtUp.add(replicas[0]);
    expect(await chooseReader(context, 'p')).toBe(replicas[0]);
    caughtUp.delete(replicas[0]);
    waits.length = 0;
    expect(await chooseReader(context, 'p')).toBe('primary');
    expect(waits).toEqual([3_000, 0]);
  });
});
