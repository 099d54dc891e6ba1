import type { VideoId } from '#domain';
import { uuidv7 } from '#lib/dapr';
import { createLogger } from '#lib/logging';
import { viewCounter } from '../../../services/video/usecases/count-views.js';
import { type Bucket, type CounterStore, LiveCounters } from '../../../services/video/usecases/live-counters.js';

/** A state store with versions, which may be away. */
class Store implements CounterStore {
  readonly buckets = new Map<number, { counts: Bucket; version: number }>();
  isAway = false;
  beforeSave: () => void = () => undefined;

  async load(bucket: number) {
    if (this.isAway) throw new Error('away');
    const entry = this.buckets.get(bucket);
    return { counts: structuredClone(entry?.counts ?? []), etag: entry && String(entry.version) };
  }

  async save(bucket: number, counts: Bucket, etag: string | undefined) {
    this.beforeSave();
    if (this.isAway) throw new Error('away');
    const version = this.buckets.get(bucket)?.version;
    if (etag !== (version === undefined ? undefined : String(version))) return false;
    this.buckets.set(bucket, { counts: structuredClone(counts), version: (version ?? 0) + 1 });
    return true;
  }
}

const logger = createLogger({ service: 'video', replica: 'test', level: 'fatal' });
const VIDEO = 7n as VideoId;
const OTHER = 135n as VideoId; // in the same bucket
const PLAY = { plays: 1, views: 0 };

function counters(store: Store) {
  return new LiveCounters({ store, flushMs: 5, logger });
}

test('what is counted is shown at once and survives this process', async () => {
  const store = new Store();
  const first = counters(store);
  first.count(VIDEO, PLAY);
  first.count(VIDEO, { plays: 0, views: 3 });
  first.count(OTHER, PLAY);
  expect(await first.read(VIDEO)).toEqual({ plays: 1, views: 3 });
  await first.stop();
  const next = counters(store);
  expect(await next.read(VIDEO)).toEqual({ plays: 1, views: 3 });
  expect(await next.read(OTHER)).toEqual({ plays: 1, views: 0 });
});

test('two processes that count the same video lose nothing', async () => {
  const store = new Store();
  const both = [counters(store), counters(store)];
  for (const each of both) each.start();
  for (let i = 0; i < 200; i++) {
    both[i % 2]!.count(i % 3 === 0 ? OTHER : VIDEO, PLAY);
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const each of both) await each.stop();
  expect(await counters(store).read(VIDEO)).toEqual({ plays: 133, views: 0 });
  expect(await counters(store).read(OTHER)).toEqual({ plays: 67, views: 0 });
});

test('while the store is away counting goes on, and is written when it is back', async () => {
  const store = new Store();
  const process = counters(store);
  process.start();
  process.count(VIDEO, PLAY);
  store.isAway = true;
  process.count(VIDEO, PLAY);
  expect((await process.read(VIDEO)).plays).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect((await process.read(VIDEO)).plays).toBe(2);
  store.isAway = false;
  await process.stop();
  expect((await counters(store).read(VIDEO)).plays).toBe(2);
});

test('a count that comes while it is written is neither lost nor shown twice', async () => {
  const store = new Store();
  const process = counters(store);
  process.count(VIDEO, PLAY);
  store.beforeSave = () => {
    store.beforeSave = () => undefined;
    process.count(VIDEO, PLAY);
  };
  await process.stop();
  expect((await process.read(VIDEO)).plays).toBe(2);
  expect((await counters(store).read(VIDEO)).plays).toBe(2);
});

test('a recording that is delivered twice is counted once, and one that is none is refused', async () => {
  const process = counters(new Store());
  const handle = viewCounter(process);
  const recording = {
    recordingId: uuidv7(),
    recordedAt: new Date().toISOString(),
    videos: `${VIDEO},3,5,2,1,2,0`,
  };
  const event = { id: recording.recordingId, type: 'watch.recorded', data: { recordings: [recording] } };
  await handle(event);
  await handle(event);
  expect(await process.read(VIDEO)).toEqual({ plays: 0, views: 5 });
  // As the release before sends it.
  const videos = [[String(VIDEO), 3, 5, 2, [[1, 2, 0]]]];
  await handle({ ...event, data: { recordings: [{ ...recording, recordingId: uuidv7(), videos }] } });
  expect(await process.read(VIDEO)).toEqual({ plays: 0, views: 10 });
  await expect(handle({ ...event, data: { videos: 1 } })).rejects.toThrow('recordings');
});
