/** An instant (ms) as DATETIME(3) in UTC. */
export function toDatetime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

/** The inverse of toDatetime. */
export function fromDatetime(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}
