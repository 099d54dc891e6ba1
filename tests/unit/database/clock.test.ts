import { jest } from '@jest/globals';
import { DatabaseClock } from '#lib/database';

const AT_PRIMARY = '2026-11-25 00:00:00.000';

/** A primary whose clock stands at an instant. */
const primary = (text: string) => ({ query: async () => [{ now: text }] });

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the clock of the services', () => {
  test("is the primary's, whatever this machine's clock says", async () => {
    jest.spyOn(Date, 'now').mockReturnValue(0);
    const clock = await DatabaseClock.start(primary(AT_PRIMARY));
    expect(Math.abs(clock.now() - Date.parse('2026-11-25T00:00:00Z'))).toBeLessThan(1_000);
    clock.stop();
  });

  test('goes on evenly when the clock of the machine jumps', async () => {
    const clock = await DatabaseClock.start(primary(AT_PRIMARY));
    const before = clock.now();
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 40 * 86_400_000);
    const after = clock.now();
    expect(after).toBeGreaterThanOrEqual(before);
    expect(after - before).toBeLessThan(1_000);
    clock.stop();
  });

  test('does not start without an answer of the primary', async () => {
    const away = { query: () => Promise.reject(new Error('away')) };
    await expect(DatabaseClock.start(away)).rejects.toThrow('away');
  });
});
