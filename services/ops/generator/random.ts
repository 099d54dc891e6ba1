/**
 * Numbers that are the same on every machine: 32-bit integer arithmetic, and of floating point only the operations
 * that IEEE 754 fixes to the last bit (no pow, log or trigonometry).
 */

const TWO_32 = 4_294_967_296;

/** Mixes two 32-bit words to one that looks random (MurmurHash3's finalizer over their combination). */
export function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b ^ 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A fraction in [0, 1) that is fixed for (`a`, `b`). */
export function fractionOf(a: number, b: number): number {
  return mix(a, b) / TWO_32;
}

/** C. Doty-Humphrey's sfc32: 128 bits of state, small and fast. */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  /** Starts the sequence of these three words. */
  seed(first: number, second: number, third: number): void {
    this.a = first | 0;
    this.b = second | 0;
    this.c = third | 0;
    this.counter = 1;
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** 0 … 2^32 − 1 */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** [0, 1) */
  fraction(): number {
    return this.uint32() / TWO_32;
  }

  /** A whole number from 0 up to, not including, `limit` (at most 2^32). */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}
