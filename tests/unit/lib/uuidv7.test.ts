import { uuidv7 } from '#lib/dapr';

describe('UUID v7', () => {
  test('ids made one after the other sort in that order, also within a millisecond and when the clock goes back', () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => uuidv7(i % 3 === 0 ? 1_700_000_000_000 : 1_699_999_999_000));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('has the version and variant of RFC 9562', () => {
    expect(uuidv7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
