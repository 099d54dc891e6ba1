import fc from 'fast-check';
import { createCipher } from '../../../services/user/adapters/key-cipher.js';
import { decideRefresh } from '../../../services/user/domain/refresh.js';
import { isRotationDue, retiredKeys, signingKeyOf } from '../../../services/user/domain/signing-keys.js';
import { USER_ID_RANDOM_MAX, userIdOf } from '../../../services/user/domain/user-id.js';

const TIMES = { rotateAfterMs: 1_000, announceMs: 60, retireAfterMs: 300 };
const key = (createdAtMs: number) => ({ kid: `k${createdAtMs}`, createdAtMs });

describe('signing keys', () => {
  test('the first signs at once; a later one only after it was announced', () => {
    expect(signingKeyOf([key(0)], TIMES, 0)?.kid).toBe('k0');
    expect(signingKeyOf([key(0), key(1_000)], TIMES, 1_059)?.kid).toBe('k0');
    expect(signingKeyOf([key(0), key(1_000)], TIMES, 1_060)?.kid).toBe('k1000');
    expect(signingKeyOf([], TIMES, 0)).toBeUndefined();
  });

  test('are replaced at their age', () => {
    expect(isRotationDue([], TIMES, 0)).toBe(true);
    expect(isRotationDue([key(0)], TIMES, 999)).toBe(false);
    expect(isRotationDue([key(0)], TIMES, 1_000)).toBe(true);
  });

  test('are shown until everything that they have signed has expired', () => {
    const keys = [key(0), key(1_000)];
    expect(retiredKeys(keys, TIMES, 1_359)).toEqual([]);
    expect(retiredKeys(keys, TIMES, 1_360)).toEqual([key(0)]);
  });

  test('the one that signs is never retired, and one always signs, whenever keys were made', () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 10_000 }), (created, nowMs) => {
        const all = created.filter((at) => at <= nowMs).map(key);
        if (all.length === 0) return;
        const signing = signingKeyOf(all, TIMES, nowMs);
        expect(signing).toBeDefined();
        expect(retiredKeys(all, TIMES, nowMs)).not.toContainEqual(signing);
      }),
    );
  });
});

describe('a private key at rest', () => {
  const cipher = createCipher('a secret of the secret store');

  test('is opened by the same secret for the same key only', () => {
    const sealed = cipher.seal('private', 'kid-1');
    expect(cipher.open(sealed, 'kid-1')).toBe('private');
    expect(() => cipher.open(sealed, 'kid-2')).toThrow();
    expect(() => createCipher('another').open(sealed, 'kid-1')).toThrow();
    expect(sealed.includes('private')).toBe(false);
  });

  test('that was changed anywhere is not opened', () => {
    const sealed = cipher.seal('private', 'kid-1');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => cipher.open(changed, 'kid-1')).toThrow();
    }
  });
});

describe('a refresh token', () => {
  const token = { sessionId: 's', userId: 1n, expiresAtMs: 100, isSpent: false, isSessionRevoked: false };

  test.each([
    ['unknown', undefined, 'refuse'],
    ['good', token, 'accept'],
    ['expired', { ...token, expiresAtMs: 50 }, 'refuse'],
    ['of a revoked session', { ...token, isSessionRevoked: true }, 'refuse'],
    ['spent', { ...token, isSpent: true }, 'revoke'],
    ['spent and expired', { ...token, isSpent: true, expiresAtMs: 1 }, 'revoke'],
  ] as const)('that is %s', (_what, stored, decision) => {
    expect(decideRefresh(stored, 50)).toBe(decision);
  });
});

test('user ids grow with time, fit in 63 bits for centuries, and differ in their low bits', () => {
  const at = (iso: string, random: number) => userIdOf(Date.parse(iso), random);
  expect(at('2026-11-25T00:00:00Z', USER_ID_RANDOM_MAX - 1)).toBeLessThan(at('2026-11-25T00:00:00.001Z', 0));
  expect(at('2200-01-01T00:00:00Z', 5) % 64n).toBe(5n);
});
