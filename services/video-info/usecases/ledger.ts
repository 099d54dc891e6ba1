import { ledgerPage, ledgerSum, type StoredEntry } from '../repositories/ledger-repository.js';
import type { Answer, VersionedReads } from './versioned-reads.js';

export interface BalanceView {
  /** Won. */
  readonly balance: string;
  readonly entries: string;
  /** Instant (ms) of the latest settlement that is in it; null before the first. */
  readonly asOfMs: number | null;
}

/** A creator's balance: the sum of the ledger's entries. */
export function balance(reads: VersionedReads, creatorId: bigint): Promise<Answer<BalanceView>> {
  return reads.answer(`balance:${creatorId}`, async ({ db, books }) => {
    const sum = await ledgerSum(db, creatorId);
    const asOfMs = books.settlement.size === 0 ? null : Math.max(...books.settlement.values());
    return { value: { balance: String(sum.balance), entries: String(sum.entries), asOfMs }, cacheable: false };
  });
}

export interface LedgerView {
  readonly entries: readonly StoredEntry[];
  /** Entries below this one are on the next page. */
  readonly next: bigint | null;
}

const PAGE_ENTRIES = 100;

/** A creator's entries from the newest on, a page at a time. */
export async function ledger(
  reads: VersionedReads,
  { creatorId, before }: { creatorId: bigint; before: bigint | undefined },
): Promise<Answer<LedgerView>> {
  return reads.answer(`ledger:${creatorId}:${before ?? ''}`, async ({ db }) => {
    const rows = await ledgerPage(db, { creatorId, before, limit: PAGE_ENTRIES + 1 });
    const entries = rows.slice(0, PAGE_ENTRIES);
    const next = rows.length > PAGE_ENTRIES ? (entries.at(-1)?.seq ?? null) : null;
    return { value: { entries, next }, cacheable: false };
  });
}
