import type { Queryable } from './dialect.js';

/** A column of a bulk insert: its name and its SQL type in the JSON document that carries the rows. */
export interface BulkColumn {
  readonly name: string;
  readonly type: 'BIGINT' | 'INT' | 'VARCHAR(38)' | 'DATE' | 'CHAR(64)' | 'CHAR(32)' | 'VARCHAR(16)';
  /** Turns the carried value into the stored one, e.g. `UNHEX`. */
  readonly convert?: 'UNHEX';
}

export interface BulkInsert {
  readonly table: string;
  readonly columns: readonly BulkColumn[];
  /** Columns with the same value in every row, and that value. */
  readonly constants?: Readonly<Record<string, string | number | null>>;
  /** `ON DUPLICATE KEY UPDATE …`, where a row may exist. */
  readonly onDuplicate?: string;
}

/**
 * Inserts many rows by one statement whose text does not grow with them: the rows travel as one JSON document.
 * @param rows values in the order of `columns`; 64-bit integers as text
 * @throws when the number of rows stored differs from the number given (not checked with `onDuplicate`)
 */
export async function bulkInsert(tx: Queryable, insert: BulkInsert, rows: readonly unknown[][]): Promise<void> {
  if (rows.length > 0) await insertDocument(tx, insert, { document: JSON.stringify(rows), rowCount: rows.length });
}

/**
 * As bulkInsert, for rows that are a JSON document already: an array of arrays, in the order of `columns`.
 * @throws when the number of rows stored differs from `rowCount` (not checked with `onDuplicate`)
 */
export async function insertDocument(
  tx: Queryable,
  insert: BulkInsert,
  { document, rowCount }: { document: string; rowCount: number },
): Promise<void> {
  const constants = Object.entries(insert.constants ?? {});
  const names = [...insert.columns.map((column) => column.name), ...constants.map(([name]) => name)];
  const values = [
    ...insert.columns.map((column) => (column.convert ? `${column.convert}(j.${column.name})` : `j.${column.name}`)),
    ...constants.map(() => '?'),
  ];
  const paths = insert.columns.map((column, i) => `${column.name} ${column.type} PATH '$[${i}]'`);
  const sql =
    `INSERT INTO ${insert.table} (${names.join(', ')}) SELECT ${values.join(', ')} ` +
    `FROM JSON_TABLE(?, '$[*]' COLUMNS (${paths.join(', ')})) AS j ${insert.onDuplicate ?? ''}`;
  const result = await tx.query(sql, [...constants.map(([, value]) => value), document]);
  if (insert.onDuplicate === undefined && result.affectedRows !== rowCount) {
    throw new Error(`${insert.table}: ${result.affectedRows} rows stored of ${rowCount}`);
  }
}
