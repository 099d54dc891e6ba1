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

/** Rows as a statement takes them: numbers and quoted days in brackets, and nothing else. */
const ROWS = /^[\d,()'-]+$/;

/**
 * Inserts rows that a server has written as the text of a statement already, e.g. `(1,2),(3,4)`.
 * @throws TypeError for a text that holds anything but numbers and days
 * @throws when the number of rows stored differs from `rowCount`
 */
export async function insertRows(
  tx: Queryable,
  insert: { readonly table: string; readonly columns: readonly string[] },
  { rows, rowCount }: { rows: string; rowCount: number },
): Promise<void> {
  if (!ROWS.test(rows)) throw new TypeError(`${insert.table}: not rows of numbers and days`);
  const result = await tx.query(`INSERT INTO ${insert.table} (${insert.columns.join(', ')}) VALUES ${rows}`);
  requireStored(insert.table, result.affectedRows, rowCount);
}

function requireStored(table: string, stored: number, given: number): void {
  if (stored !== given) throw new Error(`${table}: ${stored} rows stored of ${given}`);
}
