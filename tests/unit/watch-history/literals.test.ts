import fc from 'fast-check';
import { fromDatetime } from '#lib/database';
import {
  countLiteral,
  dayLiteral,
  dayNumeral,
  instantNumeral,
  uuidLiteral,
  viewerLiteral,
} from '../../../services/watch-history/repositories/literals.js';

test('property: an instant is read back as it was written, and written as UTC', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      const numeral = instantNumeral(ms);
      expect(numeral).toMatch(/^\d{14}\.\d{3}$/);
      const text = numeral.replace(/(....)(..)(..)(..)(..)(..)(.*)/, '$1-$2-$3 $4:$5:$6$7');
      expect(fromDatetime(text)).toBe(ms);
    }),
  );
});

test('nothing that could end a literal becomes one', () => {
  for (const text of ["u:1'", "d:' OR 1=1 --", 'u:1\\', '', 'x']) expect(() => viewerLiteral(text)).toThrow(TypeError);
  expect(() => uuidLiteral(`${'0'.repeat(31)}'`)).toThrow(TypeError);
  for (const write of [dayLiteral, dayNumeral]) expect(() => write("2026-11-2'")).toThrow(TypeError);
  for (const value of [-1, 0.5, Number.NaN, 2 ** 60, '1' as never])
    expect(() => countLiteral(value)).toThrow(TypeError);
});
