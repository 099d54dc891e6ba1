import { LoopWatch } from '../../../services/gateway/adapters/http/loop-watch.js';

let watch: LoopWatch;

beforeEach(() => {
  watch = new LoopWatch();
});

/** So many tenths of a second, in which the loop was busy for that part. */
function windows(count: number, utilization: number): void {
  for (let i = 0; i < count; i += 1) watch.note(utilization);
}

test('a burst that takes less than two seconds is served', () => {
  windows(19, 1);
  expect(watch.isRefusing()).toBe(false);
  windows(1, 0.5);
  windows(19, 1);
  expect(watch.isRefusing()).toBe(false);
});

test('a loop that never idles for two seconds refuses, until it has had a pause', () => {
  windows(20, 1);
  expect(watch.isRefusing()).toBe(true);
  windows(1, 0.8);
  expect(watch.isRefusing()).toBe(false);
});

test('while the overload lasts, it refuses after every window without a pause', () => {
  windows(20, 1);
  windows(5, 0.8);
  windows(1, 1);
  expect(watch.isRefusing()).toBe(true);
});

test('after two seconds with pauses it is over, and a burst is served again', () => {
  windows(20, 1);
  windows(20, 0.8);
  windows(5, 1);
  expect(watch.isRefusing()).toBe(false);
});
