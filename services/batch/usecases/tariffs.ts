import { amountOf, DomainError, daysOf, type KstDay, type PostingKind, SLICE_COUNT, type TariffTerms } from '#domain';
import { inTransaction, type Queryable } from '#lib/database';
import { exactNumber } from '../domain/reconciliation.js';
import { writeAudit } from '../repositories/audit-repository.js';
import { lastPricedDay, lockBooks } from '../repositories/books-repository.js';
import { toInstant } from '../repositories/rows.js';
import { isSettled } from '../repositories/settlement-repository.js';
import { insertTariff, readTariff, readTariffs, type StoredTariff } from '../repositories/tariff-repository.js';
import { chooseReader } from './choose-reader.js';
import type { Context } from './context.js';

/** A tariff as the API shows it: prices in won, exact with one decimal. */
export interface TariffView {
  readonly version: number;
  readonly effectiveFrom: KstDay;
  readonly rounding: string;
  readonly view: readonly { from: number; unitPrice: number }[];
  readonly ad: readonly { from: number; unitPrice: number }[];
  readonly createdAt: string;
  readonly createdBy: string;
}

function viewTariff(tariff: StoredTariff): TariffView {
  const tiers = (kind: PostingKind) =>
    tariff[kind].map(({ from, unitPriceTenths }) => ({
      from: exactNumber(from),
      // The shortest text of a tenth is exact, and JSON writes that.
      unitPrice: exactNumber(unitPriceTenths) / 10,
    }));
  return {
    version: tariff.version,
    effectiveFrom: tariff.effectiveFrom,
    rounding: tariff.rounding,
    view: tiers('view'),
    ad: tiers('ad'),
    createdAt: toInstant(tariff.createdAt)!,
    createdBy: tariff.createdBy,
  };
}

/** Every tariff, by version. */
export async function listTariffs(context: Context): Promise<TariffView[]> {
  return (await readTariffs(context.database.primary)).map(viewTariff);
}

/**
 * Adds a tariff under the next version. The same tariff again is answered with the one that is there.
 * @throws DomainError TARIFF_CLOSED_DAY when a day that it would price is settled or being settled,
 * TARIFF_OVERLAP when another takes effect on the same day
 */
export async function addTariff(
  context: Context,
  { terms, actor }: { terms: TariffTerms; actor: string },
): Promise<TariffView> {
  return inTransaction(context.database.primary, async (tx) => {
    await lockBooks(tx);
    const there = (await readTariffs(tx)).find((tariff) => tariff.effectiveFrom === terms.effectiveFrom);
    if (there !== undefined && isSame(there, terms)) return viewTariff(there);
    await refuseClosedDays(tx, terms.effectiveFrom);
    if (there !== undefined) {
      const detail = `Tariff ${there.version} takes effect on ${terms.effectiveFrom} already.`;
      throw new DomainError('TARIFF_OVERLAP', detail, { field: 'effectiveFrom' });
    }
    const version = await insertTariff(tx, terms, actor);
    const view = viewTariff(await readTariff(tx, version));
    await writeAudit(tx, { actor, action: 'tariff.add', subject: `tariff:${version}`, before: null, after: view });
    return view;
  });
}

function isSame(stored: StoredTariff, terms: TariffTerms): boolean {
  const text = ({ rounding, view, ad }: TariffTerms) =>
    [rounding, ...[view, ad].map((tiers) => tiers.map((t) => `${t.from}:${t.unitPriceTenths}`).join(' '))].join('|');
  return text(stored) === text(terms);
}

async function refuseClosedDays(tx: Queryable, effectiveFrom: KstDay): Promise<void> {
  const last = await lastPricedDay(tx);
  if (last === null || effectiveFrom > last) return;
  const detail = `${last} is settled; a tariff must take effect after it.`;
  throw new DomainError('TARIFF_CLOSED_DAY', detail, { field: 'effectiveFrom', details: { lastSettledDay: last } });
}

/** What a creator was paid for the days, and would have been. Won. */
export interface CreatorDifference {
  readonly creatorId: string;
  readonly current: number;
  readonly preview: number;
  readonly difference: number;
}

export interface TariffPreview {
  readonly from: KstDay;
  readonly to: KstDay;
  /** Settled days of the range: the others have nothing to compare with. */
  readonly days: readonly KstDay[];
  readonly postings: number;
  readonly totals: Omit<CreatorDifference, 'creatorId'>;
  /** Those whose money would change, the largest change first. */
  readonly creators: readonly CreatorDifference[];
  /** Creators with a change that are not listed. */
  readonly omitted: number;
}

const CREATORS_MAX = 10_000;

interface Sums {
  current: bigint;
  preview: bigint;
}

/**
 * Prices the real postings of the range's settled days by another tariff. Reads them once, on a replica, a slice of
 * creators at a time; writes nothing.
 */
export async function previewTariff(
  context: Context,
  { terms, from, to }: { terms: TariffTerms; from: KstDay; to: KstDay },
): Promise<TariffPreview> {
  const { primary, dialect } = context.database;
  const reader = await chooseReader(context, await dialect.currentPosition(primary));
  const days: KstDay[] = [];
  const sums = new Map<string, Sums>();
  let postings = 0;
  for (const day of daysOf(from, to)) {
    if (!(await isSettled(reader, day))) continue;
    days.push(day);
    for (let slice = 0; slice < SLICE_COUNT; slice++) postings += await priceSlice(reader, { day, slice, terms, sums });
  }
  return { from, to, days, postings, ...summarize(sums) };
}

/** One slice of creators of a day, by primary key. */
async function priceSlice(
  db: Queryable,
  { day, slice, terms, sums }: { day: KstDay; slice: number; terms: TariffTerms; sums: Map<string, Sums> },
): Promise<number> {
  const rows: Record<string, string>[] = await db.query(
    `SELECT creator_id, kind, from_position, to_position, amount FROM playbill_batch.posting
     WHERE event_day = ? AND creator_slice = ?`,
    [day, slice],
  );
  for (const row of rows) {
    const sum = sums.get(row.creator_id!) ?? { current: 0n, preview: 0n };
    sum.current += BigInt(row.amount!);
    sum.preview += amountOf(terms, row.kind as PostingKind, BigInt(row.from_position!), BigInt(row.to_position!));
    sums.set(row.creator_id!, sum);
  }
  return rows.length;
}

function summarize(sums: ReadonlyMap<string, Sums>): Pick<TariffPreview, 'totals' | 'creators' | 'omitted'> {
  const size = ({ preview, current }: Sums) => (preview > current ? preview - current : current - preview);
  const changed = [...sums].filter(([, sum]) => size(sum) > 0n);
  changed.sort(([a, x], [b, y]) => Number(size(y) - size(x)) || Number(BigInt(a) - BigInt(b)));
  const total = [...sums.values()].reduce<Sums>(
    (all, sum) => ({ current: all.current + sum.current, preview: all.preview + sum.preview }),
    { current: 0n, preview: 0n },
  );
  return {
    totals: viewSums(total),
    creators: changed.slice(0, CREATORS_MAX).map(([creatorId, sum]) => ({ creatorId, ...viewSums(sum) })),
    omitted: Math.max(0, changed.length - CREATORS_MAX),
  };
}

function viewSums({ current, preview }: Sums): Omit<CreatorDifference, 'creatorId'> {
  return {
    current: exactNumber(current),
    preview: exactNumber(preview),
    difference: exactNumber(preview - current),
  };
}
