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

const DAY_MS = 86_400_000;
let cachedDay = { number: Number.NaN, text: '' };

/** DATETIME(3) in UTC. */
export function instantLiteral(ms: number | null): string {
  if (ms === null) return 'NULL';
  const number = Math.floor(ms / DAY_MS);
  // Events of one commit mostly lie on one day, and the text of a date is the dear part.
  if (number !== cachedDay.number) cachedDay = { number, text: new Date(number * DAY_MS).toISOString().slice(0, 10) };
  const time = ms - number * DAY_MS;
  const seconds = Math.floor(time / 1_000);
  const clock = `${pad(Math.floor(seconds / 3_600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return `'${cachedDay.text} ${clock}.${String(time % 1_000).padStart(3, '0')}'`;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
