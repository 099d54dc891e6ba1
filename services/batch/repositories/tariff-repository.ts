import type { KstDay, PostingKind, Rounding, Tariff, TariffTerms } from '#domain';
import { DomainError } from '#domain';
import type { Queryable } from '#lib/database';

/** A tariff with who added it, and when (UTC text as the database gives it). */
export interface StoredTariff extends Tariff {
  readonly createdAt: string;
  readonly createdBy: string;
}

interface TariffRow {
  readonly version: number | string;
  readonly effective_from: string;
  readonly rounding: Rounding;
  readonly created_at: string;
  readonly created_by: string;
}

interface TierRow {
  readonly version: number | string;
  readonly kind: PostingKind;
  readonly from_position: string;
  readonly unit_price_tenths: string;
}

/** Every tariff, by version. A handful of rows of two tables. */
export async function readTariffs(db: Queryable): Promise<StoredTariff[]> {
  const tariffs: TariffRow[] = await db.query(
    'SELECT version, effective_from, rounding, created_at, created_by FROM playbill_batch.tariff ORDER BY version',
  );
  const tiers: TierRow[] = await db.query(
    `SELECT version, kind, from_position, unit_price_tenths FROM playbill_batch.tariff_tier
     ORDER BY version, kind, from_position`,
  );
  return tariffs.map((row) => toTariff(row, tiers));
}

function toTariff(row: TariffRow, tiers: readonly TierRow[]): StoredTariff {
  const tiersOfKind = (kind: PostingKind) =>
    tiers
      .filter((tier) => Number(tier.version) === Number(row.version) && tier.kind === kind)
      .map((tier) => ({ from: BigInt(tier.from_position), unitPriceTenths: BigInt(tier.unit_price_tenths) }));
  return {
    version: Number(row.version),
    effectiveFrom: row.effective_from as KstDay,
    rounding: row.rounding,
    view: tiersOfKind('view'),
    ad: tiersOfKind('ad'),
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}

/** The tariff of that version. @throws when there is none */
export async function readTariff(db: Queryable, version: number): Promise<StoredTariff> {
  const tariff = (await readTariffs(db)).find((candidate) => candidate.version === version);
  if (tariff === undefined) throw new Error(`there is no tariff version ${version}`);
  return tariff;
}

/**
 * The version in effect on a day: the one with the latest effective date not after it. One row by a unique key.
 * @throws DomainError NO_TARIFF_IN_EFFECT
 */
export async function tariffVersionOn(db: Queryable, day: KstDay): Promise<number> {
  const [row]: { version: number | string }[] = await db.query(
    'SELECT version FROM playbill_batch.tariff WHERE effective_from <= ? ORDER BY effective_from DESC LIMIT 1',
    [day],
  );
  if (row === undefined) throw new DomainError('NO_TARIFF_IN_EFFECT', `No tariff is in effect on ${day}.`);
  return Number(row.version);
}

/**
 * Adds a tariff under the next version. The caller holds the books.
 * @throws ER_DUP_ENTRY when another takes effect on the same day
 */
export async function insertTariff(tx: Queryable, terms: TariffTerms, createdBy: string): Promise<number> {
  const [row]: { version: string }[] = await tx.query(
    'SELECT COALESCE(MAX(version), 0) + 1 AS version FROM playbill_batch.tariff',
  );
  const version = Number(row!.version);
  await tx.query(
    `INSERT INTO playbill_batch.tariff (version, effective_from, rounding, created_at, created_by)
     VALUES (?, ?, ?, UTC_TIMESTAMP(3), ?)`,
    [version, terms.effectiveFrom, terms.rounding, createdBy],
  );
  const tiers = (['view', 'ad'] as const).flatMap((kind) => terms[kind].map((tier) => [version, kind, tier] as const));
  await tx.query(
    `INSERT INTO playbill_batch.tariff_tier (version, kind, from_position, unit_price_tenths)
     VALUES ${tiers.map(() => '(?, ?, ?, ?)').join(', ')}`,
    tiers.flatMap(([of, kind, tier]) => [of, kind, String(tier.from), String(tier.unitPriceTenths)]),
  );
  return version;
}
