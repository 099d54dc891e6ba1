import { LoopWatch } from '../../../services/gateway/adapters/http/loop-watch.js';

let nowMs: number;
let watch: LoopWatch;

beforeEach(() => {
  nowMs = 0;
  watch = new LoopWatch({ lateMs: 400, now: () => nowMs });
});

/** A round of work that takes so long, after which timers have their turn. */
function round(ms: number): void {
  nowMs += ms;
  watch.tick();
}

test('a process whose rounds are short is not behind', () => {
  for (let i = 0; i < 20; i += 1) round(60);
  nowMs += 60;
  expect(watch.isLate()).toBe(false);
});

test('one long pause is no overload', () => {
  round(50);
  nowMs += 3_000;
  expect(watch.isLate()).toBe(false);
});

test('while one long round follows another, the rest of it is refused', () => {
  round(800);
  nowMs += 300;
  expect(watch.isLate()).toBe(false);
  nowMs += 200;
  expect(watch.isLate()).toBe(true);
});

test('after a short round everything is taken again', () => {
  round(800);
  round(60);
  nowMs += 800;
  expect(watch.isLate()).toBe(false);
});
