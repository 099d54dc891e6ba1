/**
 * Rows as literals: the text of a thousand rows is made here in a fraction of the time that the driver takes to escape
 * them, and the server reads it twice as fast as a JSON document. Only parsed values come here (bigint, numbers, hex,
 * UUIDs, instants), none of which can hold a quote; each function refuses anything else.
 */

const VIEWER = /^[ud]:[0-9a-f-]{1,36}$/;
const HEX32 = /^[0-9a-f]{32}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function viewerLiteral(viewer: string): string {
  if (!VIEWER.test(viewer)) throw new TypeError('not a viewer');
  return `'${viewer}'`;
}

export function uuidLiteral(hex32: string): string {
  if (!HEX32.test(hex32)) throw new TypeError('not 32 hexadecimal digits');
  return `x'${hex32}'`;
}

export function dayLiteral(day: string): string {
  if (!DAY.test(day)) throw new TypeError('not a day');
  return `'${day}'`;
}

export function countLiteral(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('not a count');
  return String(value);
}

/** DATETIME(3) in UTC. */
export function instantLiteral(ms: number | null): string {
  if (ms === null) return 'NULL';
  const text = new Date(ms).toISOString();
  return `'${text.slice(0, 10)} ${text.slice(11, 23)}'`;
}

/** The inverse of instantLiteral, for a value that was read. */
export function instantFrom(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}
