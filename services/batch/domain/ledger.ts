import type { KstDay, PostingKind } from '#domain';

/** One double entry: debit platform revenue share, credit creator:<creatorId>; a negative amount is a reversal. */
export interface LedgerEntry {
  readonly creatorId: bigint;
  readonly seq: bigint;
  readonly eventDay: KstDay;
  readonly videoId: bigint;
  readonly kind: PostingKind;
  readonly postingSeq: number;
  readonly amount: bigint;
  readonly runNumber: number;
}

/** A creator's entries are summed anew whenever this many have been added. */
export const CHECKPOINT_EVERY = 10_000n;

/** Whether an append from one end of the chain to another must leave a checkpoint. */
export function needsCheckpoint(before: bigint, after: bigint): boolean {
  return before / CHECKPOINT_EVERY !== after / CHECKPOINT_EVERY;
}

/** What the hash chain starts from before a creator's first entry: 32 zero bytes, in hexadecimal. */
export const GENESIS_HASH = '0'.repeat(64);

/**
 * The text whose SHA-256 is the entry's hash: the hash before it, then every field that must not change.
 * @param previousHash 64 hexadecimal digits, of the entry before it in the creator's chain
 */
export function ledgerHashInput(previousHash: string, entry: LedgerEntry): string {
  const { creatorId, seq, eventDay, videoId, kind, postingSeq, amount, runNumber } = entry;
  return `${previousHash}|${creatorId}|${seq}|${eventDay}|${videoId}|${kind}|${postingSeq}|${amount}|${runNumber}`;
}
