import { Gatherer, OverloadedError } from '#lib/gather';

function gatherer(flush: (items: readonly number[]) => Promise<number[]>, overrides = {}) {
  return new Gatherer<number, number>({
    flush,
    gatherMs: 5,
    itemsMax: 4,
    flushesMax: 1,
    waitingMax: 10,
    ...overrides,
  });
}

const doubled = async (items: readonly number[]) => items.map((item) => item * 2);

test('concurrent groups are worked on by one call, and each gets its own results', async () => {
  const batches: number[][] = [];
  const g = gatherer(async (items) => {
    batches.push([...items]);
    return doubled(items);
  });
  const results = await Promise.all([g.submit([1]), g.submit([2, 3]), g.submit([])]);
  expect(results).toEqual([[2], [4, 6], []]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test('a group is never divided, and a batch that is full does not wait', async () => {
  const sizes: number[] = [];
  const g = gatherer(
    async (items) => {
      sizes.push(items.length);
      return doubled(items);
    },
    { gatherMs: 10_000 },
  );
  const six = [1, 2, 3, 4, 5, 6];
  expect(await g.submit(six)).toEqual(six.map((item) => item * 2));
  await Promise.all([g.submit([1, 2, 3]), g.submit([4])]);
  expect(sizes).toEqual([6, 4]);
});

test('who comes alone is not held up; those who come together wait longer for more of them', async () => {
  const batches: number[][] = [];
  const g = gatherer(
    async (items) => {
      batches.push([...items]);
      return doubled(items);
    },
    { gatherMs: 0, gatherTogetherMs: 10_000 },
  );
  await g.submit([1]);
  await g.submit([2]);
  await Promise.all([g.submit([3]), g.submit([4])]);
  const waiting = [g.submit([5]), g.submit([6])];
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(batches).toEqual([[1], [2], [3, 4]]);
  await Promise.all([...waiting, g.submit([7, 8])]);
  expect(batches.at(-1)).toEqual([5, 6, 7, 8]);
});

test('what arrives while a batch is in work makes the next one', async () => {
  const batches: number[][] = [];
  let release = () => {};
  const g = gatherer(async (items) => {
    batches.push([...items]);
    if (batches.length === 1) await new Promise<void>((resolve) => (release = resolve));
    return doubled(items);
  });
  const first = g.submit([1, 2, 3, 4]);
  const later = [g.submit([5]), g.submit([6]), g.submit([7])];
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await Promise.all([first, ...later]);
  expect(batches).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7],
  ]);
});

test('a failure reaches the groups of its batch and no other', async () => {
  const g = gatherer(async (items) => {
    if (items.includes(13)) throw new Error('unlucky');
    return doubled(items);
  });
  const results = await Promise.allSettled([g.submit([13, 1, 2, 3]), g.submit([4])]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a lost result fails the batch instead of answering for another item', async () => {
  await expect(gatherer(async () => []).submit([1])).rejects.toThrow('0 results of 1 items');
});

test('what does not fit is refused at once, and the rest is still done', async () => {
  let release = () => {};
  const g = gatherer(async (items) => {
    await new Promise<void>((resolve) => (release = resolve));
    return doubled(items);
  });
  const inWork = g.submit([1, 2, 3, 4]);
  const waiting = g.submit([1, 2, 3, 4, 5, 6, 7, 8]);
  await expect(g.submit([1, 2, 3])).rejects.toThrow(OverloadedError);
  release();
  await inWork;
  await new Promise((resolve) => setImmediate(resolve));
  release();
  expect(await waiting).toHaveLength(8);
  await g.drained();
});
