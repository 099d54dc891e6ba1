import fc from 'fast-check';
import { watch } from '#lib/contract';

const UUID = '0198c0de-0000-7000-8000-00000000000a';

const GOOD = {
  videoId: '4711',
  viewer: `d:${UUID}`,
  playedTime: 60,
  lastWatched: 50,
  adViewCount: 2,
  eventId: UUID,
  watchedAt: '2026-11-21T15:00:00.123+09:00',
};

/** What a client may put into a field: right, nearly right, and wrong. */
const anyValue = fc.constantFrom<unknown>(
  ...Object.values(GOOD),
  UUID.toUpperCase(),
  `D:${UUID}`,
  'u:42',
  'u:042',
  '0',
  '-1',
  '9223372036854775807',
  '9223372036854775808',
  '2026-02-30T00:00:00Z',
  '2026-11-21 15:00:00',
  0,
  -0,
  -1,
  1.5,
  2 ** 53,
  Number.NaN,
  4711,
  '',
  null,
  undefined,
  true,
  {},
  [],
);

test('property: the quick reading takes exactly what the schema takes, and makes the same of it', () => {
  const event = fc.record(Object.fromEntries([...Object.keys(GOOD), 'unknown'].map((field) => [field, anyValue])), {
    requiredKeys: [],
  });
  const changed = event.map((fields) => ({ ...GOOD, ...fields }));
  const oneChanged = fc
    .tuple(fc.constantFrom(...Object.keys(GOOD)), anyValue)
    .map(([field, value]) => ({ ...GOOD, [field]: value }));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(event, changed, { weight: 5, arbitrary: oneChanged }, anyValue), (value) => {
      const bySchema = watch.bulkEvent.safeParse(value);
      const quick = watch.readBulkEvent(value);
      expect(quick).toEqual(bySchema.success ? bySchema.data : undefined);
      if (quick !== undefined) taken += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(100);
});
