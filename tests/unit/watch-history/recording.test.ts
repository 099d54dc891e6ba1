import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { z } from 'zod';
import { REASON } from '#domain';
import { isWatchRecorded, watchRecorded } from '#lib/contract';
import { uuidv7 } from '#lib/dapr';
import { summarize } from '../../../services/watch-history/domain/recording.js';
import { event } from './support.js';

const decided = [
  { event: event({ adViewCount: 2 }), reason: REASON.COUNTED },
  { event: event({ adViewCount: 2 }), reason: REASON.REPEAT },
  { event: event({ adViewCount: 3 }), reason: REASON.COUNTED },
  { event: event(), reason: REASON.COUNTED },
  { event: event({ videoId: 101n as never }), reason: REASON.SELF_VIEW },
];

test('events are summed by video, and those that showed ads by how many', () => {
  expect(summarize(decided)).toEqual([
    [
      '100',
      3,
      3,
      1,
      [
        [2, 1, 1],
        [3, 1, 0],
      ],
    ],
    ['101', 3, 0, 1, []],
  ]);
});

test('what is published is what its schema says', () => {
  const recording = { recordingId: uuidv7(), recordedAt: new Date().toISOString(), videos: summarize(decided) };
  const data = { recordings: [recording, { ...recording, recordingId: uuidv7() }] };
  expect(watchRecorded.parse(data)).toEqual(data);
  expect(isWatchRecorded(data)).toBe(true);
});

test('property: what the quick check takes is what the schema takes', () => {
  const wrong = [
    null,
    undefined,
    -1,
    0,
    1,
    1.5,
    '',
    '0',
    '12',
    'x',
    [],
    [[0, 1, 1]],
    [[1, 1, 1]],
    [[1, 1]],
    {},
    uuidv7(),
  ];
  const any = fc.constantFrom<unknown>(...wrong, '2026-02-30T00:00:00.000Z', '2026-02-28T00:00:00.000Z');
  const video = fc.tuple(any, any, any, any, any).map((fields) => fields as unknown);
  const right = summarize(decided);
  const videos = fc.oneof(any, fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom<unknown>(...right) }, video)));
  const ids = fc.oneof({ weight: 3, arbitrary: fc.constant<unknown>(uuidv7()) }, any);
  const instants = fc.oneof({ weight: 3, arbitrary: fc.constant<unknown>(new Date().toISOString()) }, any);
  const recording = fc.record({ recordingId: ids, recordedAt: instants, videos });
  const recordings = fc.oneof({ weight: 5, arbitrary: fc.array(recording, { maxLength: 2 }) }, any);
  let taken = 0;
  fc.assert(
    fc.property(fc.record({ recordings }), (data) => {
      if (!isWatchRecorded(data)) return;
      taken += 1;
      expect(watchRecorded.parse(data)).toEqual(data);
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(20);
});

test('the JSON Schema in the documentation is that of the code', () => {
  const documented = JSON.parse(readFileSync('docs/events/watch.recorded.schema.json', 'utf8'));
  expect(documented).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(watchRecorded))));
});
