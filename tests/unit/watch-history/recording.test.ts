import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { z } from 'zod';
import { REASON } from '#domain';
import { type Recording, readWatchRecorded, watchRecorded, writeVideos } from '#lib/contract';
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

test('what is published is what its schema says, and is read as it was written', () => {
  const recording = { recordingId: uuidv7(), recordedAt: new Date().toISOString() };
  const videos = writeVideos(summarize(decided));
  expect(videos).toBe('100,3,3,1,2,1,1,3,1,0;101,3,0,1');
  const data = { recordings: [{ ...recording, videos }] };
  expect(watchRecorded.parse(data)).toEqual(data);
  expect(readWatchRecorded(data)).toEqual([{ ...recording, videos: summarize(decided) }]);
  expect(readWatchRecorded(data, { isKnown: (id) => id === recording.recordingId })).toEqual([]);
});

test('what the release before sends is understood', () => {
  const recording = { recordingId: uuidv7(), recordedAt: new Date().toISOString(), videos: summarize(decided) };
  expect(readWatchRecorded(recording)).toEqual([recording]);
  expect(readWatchRecorded({ recordings: [recording, recording] })).toEqual([recording, recording]);
});

test('property: any videos are read as they were written', () => {
  const count = fc.integer({ min: 0, max: 999_999_999_999_999 });
  const adViews = fc.tuple(fc.integer({ min: 1, max: 1_000 }), count, count);
  const videoId = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String);
  const video = fc.tuple(videoId, count, count, count, fc.array(adViews, { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(video, { maxLength: 5 }), (videos) => {
      const recording = { recordingId: uuidv7(), recordedAt: new Date().toISOString() };
      const data = { recordings: [{ ...recording, videos: writeVideos(videos) }] };
      expect(readWatchRecorded(data)).toEqual([{ ...recording, videos }]);
    }),
  );
});

test('a text that is no list of videos is refused', () => {
  for (const videos of [
    ';',
    '1',
    '1,1,1',
    '0,1,1,1',
    '1,1,1,1;',
    '1,1,1,1,1',
    '1,1,1,1,0,1,1',
    '1,1,1,-1',
    '1,1,1,1e9',
    '1,01,1,1',
  ]) {
    const recording = { recordingId: uuidv7(), recordedAt: new Date().toISOString(), videos };
    expect(typeof readWatchRecorded({ recordings: [recording] })).toBe('string');
  }
});

test('a recording of a hundred thousand videos is read', () => {
  const videos = Array.from({ length: 100_000 }, (_, i) => `${i + 1},3,1,0,2,1,0`).join(';');
  const recording = { recordingId: uuidv7(), recordedAt: new Date().toISOString(), videos };
  const read = readWatchRecorded({ recordings: [recording] }) as Recording[];
  expect(read[0]!.videos).toHaveLength(100_000);
});

test('the JSON Schema in the documentation is that of the code', () => {
  const documented = JSON.parse(readFileSync('docs/events/watch.recorded.schema.json', 'utf8'));
  expect(documented).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(watchRecorded))));
});
