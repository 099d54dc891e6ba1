import { LoopWatch } from '../../../services/gateway/adapters/http/loop-watch.js';

let watch: LoopWatch;

beforeEach(() => {
  watch = new LoopWatch();
});

/** So many tenths of a second, in which the loop was busy for that part. */
function windows(count: number, utilization: number): void {
  for (let i = 0; i < count; i += 1) watch.note(utilization);
}

test('a burst that takes less than a second is served', () => {
  windows(9, 1);
  expect(watch.letIn()).toBe(1);
  windows(1, 0.5);
  windows(9, 1);
  expect(watch.letIn()).toBe(1);
});

test('a loop that never idles for a second lets less and less in, but never nothing', () => {
  windows(10, 1);
  expect(watch.letIn()).toBeCloseTo(0.8);
  windows(4, 1);
  expect(watch.letIn()).toBeLessThan(0.4);
  windows(100, 1);
  expect(watch.letIn()).toBeGreaterThan(0);
});

test('that part of the requests is too much', () => {
  const refused = () => Array.from({ length: 1_000 }, () => watch.isTooMuch()).filter(Boolean).length;
  expect(refused()).toBe(0);
  windows(100, 1);
  expect(refused()).toBeGreaterThan(800);
  expect(refused()).toBeLessThan(1_000);
});

test('while the overload lasts, it settles between too much and too little', () => {
  windows(20, 1);
  for (let i = 0; i < 50; i += 1) windows(1, watch.letIn() > 0.3 ? 1 : 0.8);
  expect(watch.letIn()).toBeGreaterThan(0.2);
  expect(watch.letIn()).toBeLessThan(0.4);
});

test('with pauses everything is let in again, and a burst is served again', () => {
  windows(100, 1);
  windows(24, 0.8);
  expect(watch.letIn()).toBe(1);
  windows(5, 1);
  expect(watch.letIn()).toBe(1);
});
