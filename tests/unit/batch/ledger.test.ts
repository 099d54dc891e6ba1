import type { KstDay } from '#domain';
import { GENESIS_HASH, type LedgerEntry, ledgerHashInput } from '../../../services/batch/domain/ledger.js';

const entry: LedgerEntry = {
  creatorId: 7n,
  seq: 1n,
  eventDay: '2026-03-01' as KstDay,
  videoId: 11n,
  kind: 'view',
  postingSeq: 1,
  amount: 100n,
  runNumber: 1,
};

describe('the text that is hashed for a ledger entry', () => {
  test('changes with every field and with the hash before it', () => {
    const variants: LedgerEntry[] = [
      { ...entry, creatorId: 8n },
      { ...entry, seq: 2n },
      { ...entry, eventDay: '2026-03-02' as KstDay },
      { ...entry, videoId: 12n },
      { ...entry, kind: 'ad' },
      { ...entry, postingSeq: 2 },
      { ...entry, amount: -100n },
      { ...entry, runNumber: 2 },
    ];
    const texts = [entry, ...variants].map((variant) => ledgerHashInput(GENESIS_HASH, variant));
    expect(new Set(texts).size).toBe(texts.length);
    expect(ledgerHashInput('f'.repeat(64), entry)).not.toBe(ledgerHashInput(GENESIS_HASH, entry));
  });
});
