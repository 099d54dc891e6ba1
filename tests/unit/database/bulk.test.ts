import { bulkInsert, insertRows, type Literal, type Queryable } from '#lib/database';

/** Keeps the statement that it is given. */
class Recorder {
  statement = '';
  async query(statement: string): Promise<{ affectedRows: number }> {
    this.statement = statement;
    return { affectedRows: 2 };
  }
}

const insert = { table: 't', columns: ['a', 'b'], values: (row: readonly Literal[]) => row };

async function statementOf(rows: readonly (readonly Literal[])[], constants = {}): Promise<string> {
  const recorder = new Recorder();
  await bulkInsert(recorder as unknown as Queryable, { ...insert, constants }, rows);
  return recorder.statement.trim();
}

describe('bulkInsert', () => {
  it('writes whole numbers, words, days, hexadecimal and NULL as they are', async () => {
    const rows = [
      [-9_223_372_036_854_775_808n, 'view'],
      [{ hex: '00ff' }, null],
    ];
    expect(await statementOf(rows, { day: '2026-11-25', slice: 3 })).toBe(
      "INSERT INTO t (a, b, day, slice) VALUES (-9223372036854775808,'view','2026-11-25',3),(x'00ff',NULL,'2026-11-25',3)",
    );
  });

  it.each<[string, Literal]>([
    ['a quote', "a'b"],
    ['a backslash', 'a\\'],
    ['a bracket', 'a)'],
    ['hexadecimal that is not', { hex: "0'" }],
    ['a fraction', 0.5],
    ['a number past the exact ones', 2 ** 53],
    ['nothing', undefined as unknown as null],
  ])('refuses %s', async (_, value) => {
    await expect(statementOf([[1n, value]])).rejects.toThrow(TypeError);
  });

  it('fails when the server stored another number of rows', async () => {
    await expect(statementOf([[1n, 'view']])).rejects.toThrow('t: 2 rows stored of 1');
  });
});

describe('insertRows', () => {
  const rowsOf = async (rows: string, rowCount = 2) => {
    const recorder = new Recorder();
    await insertRows(recorder as unknown as Queryable, { table: 't', columns: ['day', 'n'] }, { rows, rowCount });
    return recorder.statement;
  };

  it('passes rows of numbers and days on as they are', async () => {
    expect(await rowsOf("('2026-11-25',1),('2026-11-25',-2)")).toBe(
      "INSERT INTO t (day, n) VALUES ('2026-11-25',1),('2026-11-25',-2)",
    );
  });

  it.each(['', "('a',1)", '(1,2);', '(1,NULL)', '(1, 2)'])('refuses %j', async (rows) => {
    await expect(rowsOf(rows)).rejects.toThrow(TypeError);
  });

  it('fails when the server stored another number of rows', async () => {
    await expect(rowsOf('(1,2)', 1)).rejects.toThrow('t: 2 rows stored of 1');
  });
});
