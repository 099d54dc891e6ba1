import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { REASON } from '#domain';
import { watchRecorded } from '#lib/contract';
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
  expect(watchRecorded.parse(recording)).toEqual(recording);
});

test('the JSON Schema in the documentation is that of the code', () => {
  const documented = JSON.parse(readFileSync('docs/events/watch.recorded.schema.json', 'utf8'));
  expect(documented).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(watchRecorded))));
});
