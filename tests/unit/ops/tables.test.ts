import { displayWidth, formatTable } from '../../../services/ops/tables.js';

describe('a table', () => {
  test.each([
    ['abc', 3],
    ['제주도', 6],
    ['ラーメン', 8],
    ['第9話', 5],
    ['é', 1],
    ['e\u0301', 1],
    ['🎬', 2],
    ['👩‍🍳', 2],
    ['🌧️', 2],
    ['🇰🇷', 2],
    ['₩', 1],
    ['', 0],
  ])('counts the columns that %j takes', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('aligns titles in every script', () => {
    const text = formatTable(
      [{ title: 'video' }, { title: 'title' }, { title: 'views', align: 'right' }],
      [
        ['1', '제주도 여행 🎬', 1_234_567],
        ['22', 'café', 8],
        ['333', '深夜のラーメン', 90],
      ],
    );
    expect(text.split('\n')).toEqual([
      'video  title               views',
      '─────  ──────────────  ─────────',
      '1      제주도 여행 🎬  1,234,567',
      '22     café                    8',
      '333    深夜のラーメン         90',
    ]);
    expect(new Set(text.split('\n').map(displayWidth)).size).toBe(1);
  });

  test('shows exact whole numbers of any size', () => {
    expect(formatTable([{ title: 'won' }], [[9_007_199_254_740_993n]])).toContain('9,007,199,254,740,993');
  });

  test('lets no cell move the cursor, ring the bell or break the line', () => {
    const text = formatTable([{ title: 'title' }], [['a\u001b[31mb\nc\u0007\u202ed']]);
    expect(text.split('\n')).toHaveLength(3);
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  });

  test('cuts a cell that is too long between characters', () => {
    const row = formatTable([{ title: 'title' }], [['가'.repeat(200)]]).split('\n')[2]!;
    expect(row.endsWith('가…')).toBe(true);
    expect(displayWidth(row)).toBeLessThanOrEqual(48);
  });
});
