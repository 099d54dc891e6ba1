import type { Branded } from './brand.js';
import { DomainError } from './errors.js';

/** An exact whole number of won; negative in a correction. */
export type Won = Branded<bigint, 'Won'>;

export const ZERO_WON = 0n as Won;

/** Tenths of a won in a won: unit prices are in tenths. */
export const TENTHS_PER_WON = 10n;

/** Names a bigint as won. */
export function wonOf(amount: bigint): Won {
  return amount as Won;
}

/**
 * Parses a decimal integer as the database writes it (`-12`, `0`, `345`).
 * @throws DomainError INVALID_AMOUNT for anything else, a fraction included.
 */
export function parseWon(text: string, field = 'amount'): Won {
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(text)) {
    throw new DomainError('INVALID_AMOUNT', 'Must be a whole number of won.', { field });
  }
  return BigInt(text) as Won;
}

/** The exact sum; 0 for none. */
export function sumWon(amounts: Iterable<Won>): Won {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum as Won;
}

/** Minus the amount. */
export function negateWon(amount: Won): Won {
  return -amount as Won;
}

/**
 * The amount as the integer that JSON carries.
 * @throws DomainError AMOUNT_TOO_LARGE beyond ±(2^53−1), where a JSON number would no longer be exact.
 */
export function wonToJsonNumber(amount: Won): number {
  const number = Number(amount);
  if (!Number.isSafeInteger(number)) {
    throw new DomainError('AMOUNT_TOO_LARGE', 'The amount is too large for an exact JSON number.');
  }
  return number;
}

/** Tenths of a won as exact decimal text in won, always with one decimal: `11n` is `1.1`, `-5n` is `-0.5`. */
export function formatTenths(tenths: bigint): string {
  const magnitude = tenths < 0n ? -tenths : tenths;
  return `${tenths < 0n ? '-' : ''}${magnitude / TENTHS_PER_WON}.${magnitude % TENTHS_PER_WON}`;
}

/**
 * Parses a unit price in won with at most one decimal to tenths: `1.1` and `'1.1'` are 11n, `'1'` is 10n.
 * A number is read by its shortest decimal text, so no floating-point arithmetic takes part.
 * @throws DomainError INVALID_UNIT_PRICE with `field`, for a negative, finer or otherwise unreadable price.
 */
export function parseUnitPriceTenths(value: unknown, field = 'unitPrice'): bigint {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const match = /^(0|[1-9][0-9]{0,15})(?:\.([0-9]))?$/.exec(text);
  if (!match) {
    throw new DomainError('INVALID_UNIT_PRICE', 'Must be won per unit, at least 0, with at most one decimal.', {
      field,
    });
  }
  return BigInt(match[1] ?? '0') * TENTHS_PER_WON + BigInt(match[2] ?? '0');
}
