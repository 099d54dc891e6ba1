import { createHash } from 'node:crypto';

/**
 * Spreads a service's replicas over those of the database: by the number at the end of a name (`batch-2`), so that two
 * differ for certain, and by the hash of one that has none (the name of a pod).
 * @returns a whole number, to be taken modulo the number of database replicas
 */
export function preferenceOf(replica: string): number {
  const number = /-(\d+)$/.exec(replica)?.[1];
  return number === undefined ? createHash('sha256').update(replica).digest().readUInt16BE() : Number(number);
}
