import fc from 'fast-check';
import { POLICY_V1, parseKstDay, REASON, type Viewer } from '#domain';
import {
  type DecideInput,
  decideBatch,
  firstReason,
  type Progress,
} from '../../../services/watch-history/domain/decide.js';
import { eventKey } from '../../../services/watch-history/domain/watch-event.js';
import { CREATOR_ID, DEVICE, event, NOON_MS, OTHER_DEVICE } from './support.js';

function decide(input: Partial<DecideInput> & Pick<DecideInput, 'events'>) {
  return decideBatch({ progress: new Map(), stored: new Map(), policies: [POLICY_V1], ...input });
}

const reasons = (input: Parameters<typeof decide>[0]) => decide(input).outcomes.map(({ reason }) => reason);

test('a repeat within 30 s on either side of the latest counted event does not count, exactly 30 s does', () => {
  const at = (offsetMs: number) => event({ watchedAtMs: NOON_MS + offsetMs });
  expect(reasons({ events: [at(0), at(29_999)] })).toEqual([REASON.COUNTED, REASON.REPEAT]);
  expect(reasons({ events: [at(0), at(-29_999)] })).toEqual([REASON.COUNTED, REASON.REPEAT]);
  expect(reasons({ events: [at(0), at(30_000)] })).toEqual([REASON.COUNTED, REASON.COUNTED]);
  expect(reasons({ events: [at(0), at(-30_000)] })).toEqual([REASON.COUNTED, REASON.COUNTED]);
});

test('a repeat does not start a new 30 s', () => {
  const events = [0, 20_000, 40_000].map((offset) => event({ watchedAtMs: NOON_MS + offset }));
  expect(reasons({ events })).toEqual([REASON.COUNTED, REASON.REPEAT, REASON.COUNTED]);
});

test('another viewer and another video are no repeat', () => {
  const events = [event(), event({ viewer: OTHER_DEVICE }), event({ videoId: 101n as never })];
  expect(reasons({ events })).toEqual([REASON.COUNTED, REASON.COUNTED, REASON.COUNTED]);
});

test("a creator's own view does not count, and is no reason for a repeat", () => {
  const own = `u:${CREATOR_ID}` as Viewer;
  expect(reasons({ events: [event({ viewer: own }), event({ viewer: own })] })).toEqual([
    REASON.SELF_VIEW,
    REASON.SELF_VIEW,
  ]);
});

test('the policy in effect on the event day decides, not the newest', () => {
  const strict = {
    ...POLICY_V1,
    version: 2,
    effectiveFrom: parseKstDay('2026-11-25'),
    minPlayedSeconds: 100,
    repeatWindowMs: 0,
  };
  const events = [event({ watchedAtMs: NOON_MS - 86_400_000 }), event(), event({ playedTime: 100 })];
  expect(reasons({ events, policies: [POLICY_V1, strict] })).toEqual([
    REASON.COUNTED,
    REASON.TOO_SHORT,
    REASON.COUNTED,
  ]);
});

test('a stored event gets the outcome of its first time and changes nothing', () => {
  const known = event();
  const { outcomes, accepted, progress } = decide({
    events: [known],
    stored: new Map([[eventKey(known), REASON.SELF_VIEW]]),
  });
  expect(outcomes).toEqual([{ reason: REASON.SELF_VIEW, duplicate: true }]);
  expect(accepted).toEqual([]);
  expect(progress.size).toBe(0);
});

test('the same event twice in one batch is stored once', () => {
  const twice = event();
  const { outcomes, accepted } = decide({ events: [twice, { ...twice, lastWatched: 5 }] });
  expect(outcomes).toEqual([
    { reason: REASON.COUNTED, duplicate: false },
    { reason: REASON.COUNTED, duplicate: true },
  ]);
  expect(accepted).toHaveLength(1);
});

test('a revoked event was counted at first, and that is what its retry is told', () => {
  expect(firstReason(REASON.REVOKED)).toBe(REASON.COUNTED);
  expect(firstReason(REASON.REPEAT)).toBe(REASON.REPEAT);
});

test('a not-counted event moves the position; an earlier one does not move it back', () => {
  const events = [
    event({ lastWatched: 100 }),
    event({ watchedAtMs: NOON_MS + 1_000, lastWatched: 300 }),
    event({ watchedAtMs: NOON_MS - 100_000, lastWatched: 7 }),
  ];
  const { progress } = decide({ events });
  expect(progress.get(events[0]!.viewing)).toMatchObject({
    lastWatched: 300,
    lastWatchedAtMs: NOON_MS + 1_000,
    latestCountedAtMs: NOON_MS,
  });
});

test('property: deciding in any division into batches gives the same outcomes', () => {
  const plan = fc.array(
    fc.record({
      viewer: fc.constantFrom(DEVICE, OTHER_DEVICE, `u:${CREATOR_ID}` as Viewer),
      offsetMs: fc.integer({ min: -40_000, max: 40_000 }),
      repeatOf: fc.option(fc.nat(5), { freq: 3 }),
      cut: fc.boolean(),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(plan, (steps) => {
      const events: ReturnType<typeof event>[] = [];
      for (const { viewer, offsetMs, repeatOf } of steps) {
        const again = repeatOf === null ? undefined : events[repeatOf];
        events.push(again ?? event({ viewer, watchedAtMs: NOON_MS + offsetMs }));
      }
      const whole = decide({ events }).outcomes;
      const inParts: typeof whole = [];
      const progress = new Map<string, Progress>();
      const stored = new Map();
      let part: typeof events = [];
      for (const [i, { cut }] of [...steps.entries(), [-1, { cut: true }] as const]) {
        if (i >= 0) part.push(events[i]!);
        if (!cut) continue;
        const decisions = decide({ events: part, progress, stored });
        (inParts as unknown[]).push(...decisions.outcomes);
        for (const { event: each, reason } of decisions.accepted) stored.set(eventKey(each), reason);
        for (const [key, value] of decisions.progress) progress.set(key, value);
        part = [];
      }
      expect(inParts).toEqual(whole);
    }),
  );
});
