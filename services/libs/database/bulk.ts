import type { Queryable } from './dialect.js';

/** A value that is written into a statement as it is: a whole number, a word or a day, a binary string, or NULL. */
export type Literal = bigint | number | string | { readonly hex: string } | null;

export interface BulkInsert<Row> {
  readonly table: string;
  readonly columns: readonly string[];
  /** A row's values, in the order of `columns`. */
  readonly values: (row: Row) => readonly Literal[];
  /** Columns with the same value in every row, and that value. */
  readonly constants?: Readonly<Record<string, string | number | null>>;
  /** `ON DUPLICATE KEY UPDATE …`, where a row may exist. */
  readonly onDuplicate?: string;
}

/**
 * Inserts many rows by one statement of literals, which the server reads faster than parameters or a JSON document.
 * Only values that cannot hold a quote get there; anything else is refused.
 * @throws when the number of rows stored differs from the number given (not checked with `onDuplicate`)
 */
export async function bulkInsert<Row>(tx: Queryable, insert: BulkInsert<Row>, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const constants = Object.entries(insert.constants ?? {});
  const names = [...insert.columns, ...constants.map(([name]) => name)];
  const rest = constants.map(([, value]) => `,${literalOf(value)}`).join('');
  let statement = `INSERT INTO ${insert.table} (${names.join(', ')}) VALUES `;
  let separator = '(';
  // Appended piece by piece: a day has a million rows, and arrays of their parts would be garbage.
  for (const row of rows) {
    for (const value of insert.values(row)) {
      statement += separator;
      statement += literalOf(value);
      separator = ',';
    }
    statement += rest;
    separator = '),(';
  }
  const result = await tx.query(`${statement}) ${insert.onDuplicate ?? ''}`);
  if (insert.onDuplicate === undefined) requireStored(insert.table, result.affectedRows, rows.length);
}

const HEX = /^[0-9a-f]*$/;
const WORD = /^[\w:-]*$/;

/** @throws TypeError for a value that cannot be written as it is */
function literalOf(value: Literal): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'string' && WORD.test(value)) return `'${value}'`;
  if (value === null) return 'NULL';
  if (typeof value === 'object' && HEX.test(value.hex)) return `x'${value.hex}'`;
  throw new TypeError('not a value that can be written into a statement as it is');
}

/** What a document carries in a column: its name and the SQL type of its values. */
export interface DocumentColumn {
  readonly name: string;
  readonly type: 'BIGINT';
}

/**
 * Inserts rows that are a JSON document already: an array of arrays, in the order of `columns`.
 * @throws when the number of rows stored differs from `rowCount`
 */
export async function insertDocument(
  tx: Queryable,
  insert: Pick<BulkInsert<unknown>, 'table' | 'constants'> & { readonly columns: readonly DocumentColumn[] },
  { document, rowCount }: { document: string; rowCount: number },
): Promise<void> {
  const constants = Object.entries(insert.constants ?? {});
  const names = [...insert.columns.map((column) => column.name), ...constants.map(([name]) => name)];
  const values = [...insert.columns.map((column) => `j.${column.name}`), ...constants.map(() => '?')];
  const paths = insert.columns.map((column, i) => `${column.name} ${column.type} PATH '$[${i}]'`);
  const result = await tx.query(
    `INSERT INTO ${insert.table} (${names.join(', ')}) SELECT ${values.join(', ')} ` +
      `FROM JSON_TABLE(?, '$[*]' COLUMNS (${paths.join(', ')})) AS j`,
    [...constants.map(([, value]) => value), document],
  );
  requireStored(insert.table, result.affectedRows, rowCount);
}

function requireStored(table: string, stored: number, given: number): void {
  if (stored !== given) throw new Error(`${table}: ${stored} rows stored of ${given}`);
}
