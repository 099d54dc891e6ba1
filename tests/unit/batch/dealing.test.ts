import fc from 'fast-check';
import { dealSlices, isDealable } from '../../../services/batch/domain/dealing.js';
import type { RunSlice } from '../../../services/batch/domain/run.js';

const slice = (over: Partial<RunSlice> & { slice: number }): RunSlice => ({
  state: 'waiting',
  epoch: 0,
  owner: null,
  leaseExpired: false,
  attempts: 0,
  weight: 0,
  error: null,
  ...over,
});

const anySlices = fc
  .array(
    fc.record({
      state: fc.constantFrom('waiting' as const, 'running' as const, 'done' as const),
      owner: fc.constantFrom('a', 'b', 'gone'),
      leaseExpired: fc.boolean(),
      weight: fc.nat(1000),
      epoch: fc.nat(5),
    }),
    { maxLength: 64 },
  )
  .map((rows) => rows.map((row, i) => slice({ ...row, slice: i, owner: row.state === 'waiting' ? null : row.owner })));

const anyWorkers = fc.record({ a: fc.nat(4), b: fc.nat(4) }).map(({ a, b }) => [
  { name: 'a', slots: a },
  { name: 'b', slots: b },
]);

const busyOn = (slices: readonly RunSlice[], name: string) =>
  slices.filter((s) => s.state === 'running' && !s.leaseExpired && s.owner === name).length;

describe('dealing slices', () => {
  test('a worker never gets more slices than it has free slots', () => {
    fc.assert(
      fc.property(anySlices, anyWorkers, (slices, workers) => {
        const deals = dealSlices(slices, workers);
        for (const { name, slots } of workers) {
          const dealt = deals.filter((deal) => deal.worker === name).length;
          expect(dealt).toBeLessThanOrEqual(Math.max(0, slots - busyOn(slices, name)));
        }
      }),
    );
  });

  test('no slot stays free while a slice waits', () => {
    fc.assert(
      fc.property(anySlices, anyWorkers, (slices, workers) => {
        const deals = dealSlices(slices, workers);
        const waiting = slices.filter(isDealable).length;
        const free = workers.reduce((sum, w) => sum + Math.max(0, w.slots - busyOn(slices, w.name)), 0);
        expect(deals).toHaveLength(Math.min(waiting, free));
      }),
    );
  });

  test('a slice that is done, or held under a living lease, is never dealt, and none is dealt twice', () => {
    fc.assert(
      fc.property(anySlices, anyWorkers, (slices, workers) => {
        const deals = dealSlices(slices, workers);
        const byNumber = new Map(slices.map((s) => [s.slice, s]));
        for (const deal of deals) expect(isDealable(byNumber.get(deal.slice)!)).toBe(true);
        expect(new Set(deals.map((deal) => deal.slice)).size).toBe(deals.length);
      }),
    );
  });

  test('a deal carries the epoch that the slice has, so that only one coordinator can make it', () => {
    const deals = dealSlices([slice({ slice: 3, epoch: 7 })], [{ name: 'a', slots: 1 }]);
    expect(deals).toEqual([{ slice: 3, epoch: 7, worker: 'a' }]);
  });

  test('the longest slice is dealt first, and workers are filled evenly', () => {
    const slices = [10, 500, 20, 30].map((weight, i) => slice({ slice: i, weight }));
    const deals = dealSlices(slices, [
      { name: 'a', slots: 2 },
      { name: 'b', slots: 1 },
    ]);
    expect(deals.map((deal) => [deal.slice, deal.worker])).toEqual([
      [1, 'a'],
      [3, 'a'],
      [2, 'b'],
    ]);
  });
});
