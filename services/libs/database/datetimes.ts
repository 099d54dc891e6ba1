/** Instants as the database writes them: `2026-11-23 01:02:03.456`, in UTC. */

/** An instant (ms) as DATETIME(3) in UTC. */
export function toDatetime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

/** The inverse of toDatetime: milliseconds since 1970. */
export function fromDatetime(text: string): number {
  return Date.parse(datetimeToInstant(text));
}

/** The same instant in RFC 3339. */
export function datetimeToInstant(text: string): string {
  return `${text.replace(' ', 'T')}Z`;
}
