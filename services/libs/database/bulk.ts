import type { Queryable } from './dialect.js';

/** A column of a bulk insert: its name and the SQL type that its values must have. */
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
 * Inserts many rows by one statement of literals, which the server reads faster than parameters or a JSON document.
 * Only values that cannot hold a quote get there; anything else is refused.
 * @param rows values in the order of `columns`; 64-bit integers as text
 * @throws when the number of rows stored differs from the number given (not checked with `onDuplicate`)
 */
export async function bulkInsert(tx: Queryable, insert: BulkInsert, rows: readonly unknown[][]): Promise<void> {
  if (rows.length === 0) return;
  const constants = Object.entries(insert.constants ?? {});
  const names = [...insert.columns.map((column) => column.name), ...constants.map(([name]) => name)];
  const rest = constants.map(([, value]) => `,${constantOf(value)}`).join('');
  const values = rows.map(
    (row) => `(${insert.columns.map((column, i) => literalOf(column, row[i])).join(',')}${rest})`,
  );
  const result = await tx.query(
    `INSERT INTO ${insert.table} (${names.join(', ')}) VALUES ${values.join(',')} ${insert.onDuplicate ?? ''}`,
  );
  if (insert.onDuplicate === undefined) requireStored(insert.table, result.affectedRows, rows.length);
}

const INTEGER = /^-?\d{1,19}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const HEX = /^[0-9a-f]*$/;
const WORD = /^[\w:-]*$/;

/** @throws TypeError for a value that is not of the column's type */
function literalOf({ name, type, convert }: BulkColumn, value: unknown): string {
  if (value === null) return 'NULL';
  const text = String(value);
  if (convert === 'UNHEX' && HEX.test(text)) return `x'${text}'`;
  const isInteger = type === 'BIGINT' || type === 'INT';
  if (isInteger && INTEGER.test(text)) return text;
  if (!isInteger && convert === undefined && (type === 'DATE' ? DATE : WORD).test(text)) return `'${text}'`;
  throw new TypeError(`${name}: not a ${type}`);
}

function constantOf(value: string | number | null): string {
  if (value === null) return 'NULL';
  const text = String(value);
  if (typeof value === 'number' && INTEGER.test(text)) return text;
  if (WORD.test(text)) return `'${text}'`;
  throw new TypeError('not a constant that can be written as it is');
}

/**
 * Inserts rows that are a JSON document already: an array of arrays, in the order of `columns`.
 * @throws when the number of rows stored differs from `rowCount`
 */
export async function insertDocument(
  tx: Queryable,
  insert: Pick<BulkInsert, 'table' | 'columns' | 'constants'>,
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
