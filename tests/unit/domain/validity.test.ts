import {
  checkWatchEvent,
  decideReason,
  EXCLUDED_REASONS,
  isCounted,
  POLICY_V1,
  parseCreatorId,
  parseKstDay,
  parseViewer,
  policyOn,
  REASON,
  type ReasonInput,
  reasonName,
  type ValidityPolicy,
  type WatchEventInput,
} from '#domain';
import { codeOf } from './support/matchers.js';

const NOW_MS = Date.parse('2026-03-10T03:00:00Z');

describe('reason codes', () => {
  test('are the numbers that are stored, for ever', () => {
    expect(REASON).toEqual({ COUNTED: 0, SELF_VIEW: 1, REPEAT: 2, TOO_SHORT: 3, REVOKED: 4 });
    for (const [name, code] of Object.entries(REASON)) expect(reasonName(code)).toBe(name);
    expect([...EXCLUDED_REASONS, 'COUNTED'].sort()).toEqual(Object.keys(REASON).sort());
    expect(codeOf(() => reasonName(5))).toBe('INVALID_REASON');
    expect(codeOf(() => reasonName(-1))).toBe('INVALID_REASON');
    expect(Object.values(REASON).filter(isCounted)).toEqual([REASON.COUNTED]);
  });
});

describe('counted or not', () => {
  const base: ReasonInput = {
    policy: POLICY_V1,
    viewer: parseViewer('u:7'),
    creatorId: parseCreatorId('8'),
    watchedAtMs: NOW_MS,
    playedSeconds: 10,
    latestCountedAtMs: null,
  };
  const strict: ValidityPolicy = { ...POLICY_V1, version: 2, minPlayedSeconds: 10 };

  test('a first view counts, even of 0 s', () => {
    expect(decideReason({ ...base, playedSeconds: 0 })).toBe(REASON.COUNTED);
    const { latestCountedAtMs: _absent, ...first } = base;
    expect(decideReason(first)).toBe(REASON.COUNTED);
  });

  test('a creator’s own view never counts, before any other reason', () => {
    const own = { ...base, policy: strict, viewer: parseViewer('u:8'), playedSeconds: 0, latestCountedAtMs: NOW_MS };
    expect(decideReason(own)).toBe(REASON.SELF_VIEW);
    expect(decideReason({ ...base, viewer: parseViewer('u:88') })).toBe(REASON.COUNTED);
    const device = parseViewer('d:00000008-0000-4000-8000-000000000008');
    expect(decideReason({ ...base, viewer: device })).toBe(REASON.COUNTED);
  });

  test('too short is decided by the policy, before a repeat', () => {
    const short = { ...base, policy: strict, latestCountedAtMs: NOW_MS };
    expect(decideReason({ ...short, playedSeconds: 9 })).toBe(REASON.TOO_SHORT);
    expect(decideReason({ ...short, playedSeconds: 10 })).toBe(REASON.REPEAT);
  });

  test.each([
    [0, REASON.REPEAT],
    [29_999, REASON.REPEAT],
    [30_000, REASON.COUNTED],
    [-29_999, REASON.REPEAT],
    [-30_000, REASON.COUNTED],
  ])('%d ms after the latest counted view is reason %d', (distanceMs, reason) => {
    expect(decideReason({ ...base, latestCountedAtMs: NOW_MS - distanceMs })).toBe(reason);
  });

  test('the repeat window is the policy’s, and the instant 0 is an instant', () => {
    const wide = { ...POLICY_V1, repeatWindowMs: 60_000 };
    expect(decideReason({ ...base, policy: wide, latestCountedAtMs: NOW_MS - 59_999 })).toBe(REASON.REPEAT);
    expect(decideReason({ ...base, watchedAtMs: 10, latestCountedAtMs: 0 })).toBe(REASON.REPEAT);
  });

  test('the policy is the one in effect on the day', () => {
    const later = { ...strict, effectiveFrom: parseKstDay('2026-03-10') };
    const newer = { ...later, version: 3 };
    expect(policyOn([newer, later, POLICY_V1], parseKstDay('2026-03-09')).version).toBe(1);
    expect(policyOn([newer, later, POLICY_V1], parseKstDay('2026-03-10')).version).toBe(3);
    expect(codeOf(() => policyOn([later], parseKstDay('2026-03-09')))).toBe('NO_POLICY_IN_EFFECT');
  });
});

describe('a watch event is accepted up to its limits and refused beyond, by field', () => {
  const video = { lengthSeconds: 900 };
  const base: WatchEventInput = {
    eventId: '0190a6e0-0000-7000-8000-000000000000',
    playedTime: 100,
    lastWatched: 100,
    adViewCount: 1,
    watchedAtMs: NOW_MS,
  };
  const fieldsOf = (change: Partial<WatchEventInput>) =>
    checkWatchEvent({ ...base, ...change }, video, NOW_MS).map(({ field }) => field);

  const MINUTE_MS = 60_000;
  const DAY_MS = 86_400_000;
  test.each<[Partial<WatchEventInput>, string[]]>([
    [{}, []],
    [{ playedTime: 0, lastWatched: 0, adViewCount: 0 }, []],
    [{ playedTime: 905, lastWatched: 900, adViewCount: 3 }, []],
    [{ playedTime: 906 }, ['playedTime']],
    [{ lastWatched: 901 }, ['lastWatched']],
    [{ adViewCount: 4 }, ['adViewCount']],
    [{ playedTime: -1 }, ['playedTime']],
    [{ lastWatched: 0.5 }, ['lastWatched']],
    [{ adViewCount: Number.NaN }, ['adViewCount']],
    [{ watchedAtMs: NOW_MS + 5 * MINUTE_MS }, []],
    [{ watchedAtMs: NOW_MS + 5 * MINUTE_MS + 1 }, ['watchedAt']],
    [{ watchedAtMs: NOW_MS - 35 * DAY_MS }, []],
    [{ watchedAtMs: NOW_MS - 35 * DAY_MS - 1 }, ['watchedAt']],
    [{ watchedAtMs: Number.NaN }, ['watchedAt']],
    [{ watchedAtMs: undefined }, ['watchedAt']],
    [{ watchedAtMs: undefined, eventId: undefined }, []],
    [{ eventId: undefined }, []],
    [
      { playedTime: -1, lastWatched: -1, adViewCount: -1, watchedAtMs: 0 },
      ['playedTime', 'lastWatched', 'adViewCount', 'watchedAt'],
    ],
  ])('%p breaks %p', (change, fields) => {
    expect(fieldsOf(change)).toEqual(fields);
  });

  test('a video without ads takes no ad views', () => {
    const errors = checkWatchEvent({ ...base, playedTime: 1, lastWatched: 1 }, { lengthSeconds: 299 }, NOW_MS);
    expect(errors).toEqual([{ field: 'adViewCount', message: "Must be at most 0, the number of the video's ads." }]);
  });
});
