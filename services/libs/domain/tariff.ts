import { type KstDay, parseKstDay } from './calendar.js';
import { DomainError, type FieldError } from './errors.js';
import { parseUnitPriceTenths, TENTHS_PER_WON, type Won, ZERO_WON } from './money.js';

/** What is paid for: a counted view, or an advertisement shown in full. Each has its own position. */
export const POSTING_KINDS = ['view', 'ad'] as const;
export type PostingKind = (typeof POSTING_KINDS)[number];

/** `line` floors once per posting; `cumulative` is the difference of floored totals, so that no fraction is ever lost. */
export const ROUNDINGS = ['line', 'cumulative'] as const;
export type Rounding = (typeof ROUNDINGS)[number];

/** From this position on (0-based), each unit costs `unitPriceTenths` tenths of a won, until the next tier. */
export interface Tier {
  readonly from: bigint;
  readonly unitPriceTenths: bigint;
}

/** What a tariff says, before it has a version. `view` and `ad` are tiers, ascending from 0. */
export interface TariffTerms {
  readonly effectiveFrom: KstDay;
  readonly rounding: Rounding;
  readonly view: readonly Tier[];
  readonly ad: readonly Tier[];
}

export interface Tariff extends TariffTerms {
  readonly version: number;
}

/** Part of a posting within one tier. `amountTenths` is exact. */
export interface TariffSlice {
  readonly from: bigint;
  readonly to: bigint;
  readonly unitPriceTenths: bigint;
  readonly amountTenths: bigint;
}

export const TIERS_MAX = 50;
/** A million won a unit; keeps every amount far inside a 64-bit integer. */
export const UNIT_PRICE_TENTHS_MAX = 10_000_000n;
export const TIER_FROM_MAX = 1_000_000_000_000n;

/** The tariff of the settlement rules. */
export const TARIFF_V1: Tariff = {
  version: 1,
  effectiveFrom: parseKstDay('1970-01-01'),
  rounding: 'line',
  view: [
    { from: 0n, unitPriceTenths: 10n },
    { from: 100_000n, unitPriceTenths: 11n },
    { from: 500_000n, unitPriceTenths: 13n },
    { from: 1_000_000n, unitPriceTenths: 15n },
  ],
  ad: [
    { from: 0n, unitPriceTenths: 100n },
    { from: 100_000n, unitPriceTenths: 120n },
    { from: 500_000n, unitPriceTenths: 150n },
    { from: 1_000_000n, unitPriceTenths: 200n },
  ],
};

/** Anything shaped like a tariff whose rules are still to be checked. */
export interface UncheckedTariff {
  readonly effectiveFrom: string;
  readonly rounding: string;
  readonly view: readonly Tier[];
  readonly ad: readonly Tier[];
}

function tierErrors(kind: PostingKind, tiers: readonly Tier[]): FieldError[] {
  if (tiers.length === 0) return [{ field: kind, message: 'Must have at least one tier.' }];
  if (tiers.length > TIERS_MAX) return [{ field: kind, message: `Must have at most ${TIERS_MAX} tiers.` }];
  const errors: FieldError[] = [];
  let previous: Tier | undefined;
  tiers.forEach((tier, index) => {
    if (previous === undefined && tier.from !== 0n) {
      errors.push({ field: `${kind}[${index}].from`, message: 'The first tier must start at position 0.' });
    } else if (previous !== undefined && tier.from <= previous.from) {
      errors.push({ field: `${kind}[${index}].from`, message: 'Must be greater than the tier before.' });
    } else if (tier.from > TIER_FROM_MAX) {
      errors.push({ field: `${kind}[${index}].from`, message: `Must be at most ${TIER_FROM_MAX}.` });
    }
    if (tier.unitPriceTenths < 0n || tier.unitPriceTenths > UNIT_PRICE_TENTHS_MAX) {
      const most = UNIT_PRICE_TENTHS_MAX / TENTHS_PER_WON;
      errors.push({ field: `${kind}[${index}].unitPrice`, message: `Must be from 0 to ${most} won.` });
    }
    previous = tier;
  });
  return errors;
}

/**
 * What is wrong with a tariff, field by field; empty when nothing is. Tiers ascend from 0, there are 1 to 50 of them,
 * prices are 0 to 1,000,000 won, the rounding is known and the effective date exists.
 */
export function validateTariff(tariff: UncheckedTariff): FieldError[] {
  const errors: FieldError[] = [];
  try {
    parseKstDay(tariff.effectiveFrom, 'effectiveFrom');
  } catch (error) {
    errors.push({ field: 'effectiveFrom', message: (error as DomainError).message });
  }
  if (!ROUNDINGS.some((rounding) => rounding === tariff.rounding)) {
    errors.push({ field: 'rounding', message: `Must be one of ${ROUNDINGS.join(', ')}.` });
  }
  return [...errors, ...tierErrors('view', tariff.view), ...tierErrors('ad', tariff.ad)];
}

/** A tier as JSON carries it: `from` a position, `unitPrice` in won with at most one decimal; each a number or text. */
export interface TierInput {
  readonly from: number | string;
  readonly unitPrice: number | string;
}

export interface TariffInput {
  readonly effectiveFrom: string;
  readonly rounding: string;
  readonly view: readonly TierInput[];
  readonly ad: readonly TierInput[];
}

export type ParsedTariff =
  | { readonly ok: true; readonly terms: TariffTerms }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

function parseTiers(kind: PostingKind, input: readonly TierInput[], errors: FieldError[]): Tier[] {
  return input.map(({ from, unitPrice }, index) => {
    const fromText = String(from);
    const isPosition = /^(?:0|[1-9][0-9]{0,18})$/.test(fromText);
    if (!isPosition) errors.push({ field: `${kind}[${index}].from`, message: 'Must be a whole number, at least 0.' });
    let unitPriceTenths = 0n;
    try {
      unitPriceTenths = parseUnitPriceTenths(unitPrice);
    } catch (error) {
      errors.push({ field: `${kind}[${index}].unitPrice`, message: (error as DomainError).message });
    }
    return { from: isPosition ? BigInt(fromText) : -1n, unitPriceTenths };
  });
}

/** Reads a tariff as JSON carries it, exactly, and checks it by `validateTariff`; never throws for a bad one. */
export function parseTariff(input: TariffInput): ParsedTariff {
  const unreadable: FieldError[] = [];
  const tariff = {
    effectiveFrom: input.effectiveFrom,
    rounding: input.rounding,
    view: parseTiers('view', input.view, unreadable),
    ad: parseTiers('ad', input.ad, unreadable),
  };
  const errors = unreadable.length > 0 ? unreadable : validateTariff(tariff);
  if (errors.length > 0) return { ok: false, errors };
  const rounding = tariff.rounding as Rounding;
  return { ok: true, terms: { ...tariff, rounding, effectiveFrom: parseKstDay(tariff.effectiveFrom) } };
}

function assertPositions(from: bigint, to: bigint): void {
  if (from < 0n || to < from) {
    throw new DomainError('INVALID_POSITION', `Positions must satisfy 0 <= from <= to, got ${from} to ${to}.`);
  }
}

/**
 * The units from position `from` up to (not including) `to`, cut where the price changes: contiguous, ascending,
 * never empty slices; none at all when from = to.
 * @throws DomainError INVALID_POSITION unless 0 ≤ from ≤ to.
 */
export function slicesOf(tiers: readonly Tier[], from: bigint, to: bigint): TariffSlice[] {
  assertPositions(from, to);
  const slices: TariffSlice[] = [];
  tiers.forEach(({ from: tierFrom, unitPriceTenths }, index) => {
    const tierTo = tiers[index + 1]?.from ?? to;
    const sliceFrom = from > tierFrom ? from : tierFrom;
    const sliceTo = to < tierTo ? to : tierTo;
    if (sliceFrom >= sliceTo) return;
    slices.push({
      from: sliceFrom,
      to: sliceTo,
      unitPriceTenths,
      amountTenths: (sliceTo - sliceFrom) * unitPriceTenths,
    });
  });
  return slices;
}

/**
 * The exact price, in tenths of a won, of the units from position `from` up to `to`: the sum of `slicesOf`, without
 * making them (this runs for every video of a day).
 * @throws DomainError INVALID_POSITION unless 0 ≤ from ≤ to.
 */
export function priceTenths(tiers: readonly Tier[], from: bigint, to: bigint): bigint {
  assertPositions(from, to);
  let sum = 0n;
  let upper = to;
  for (let index = tiers.length - 1; index >= 0 && upper > from; index -= 1) {
    const tier = tiers[index] as Tier;
    if (upper <= tier.from) continue;
    if (from >= tier.from) return sum + (upper - from) * tier.unitPriceTenths;
    sum += (upper - tier.from) * tier.unitPriceTenths;
    upper = tier.from;
  }
  return sum;
}

/** The tiers of the tariff for that kind. */
export function tiersOf(tariff: Pick<Tariff, 'view' | 'ad'>, kind: PostingKind): readonly Tier[] {
  return kind === 'view' ? tariff.view : tariff.ad;
}

/**
 * The amount of a posting from position `from` to position `to`, in whole won. Upwards: floored once (`line`), or the
 * difference of the floored totals from 0 (`cumulative`). Downwards: exactly minus the amount from `to` up to `from`.
 * Settlement rules 1–3.
 * @throws DomainError INVALID_POSITION for a negative position.
 */
export function amountOf(
  tariff: Pick<Tariff, 'rounding' | 'view' | 'ad'>,
  kind: PostingKind,
  from: bigint,
  to: bigint,
): Won {
  if (to < from) return -amountOf(tariff, kind, to, from) as Won;
  const tiers = tiersOf(tariff, kind);
  if (tariff.rounding === 'line') return (priceTenths(tiers, from, to) / TENTHS_PER_WON) as Won;
  if (from === to) return ZERO_WON;
  // Both totals are non-negative, so bigint division, which truncates, is the floor.
  return (priceTenths(tiers, 0n, to) / TENTHS_PER_WON - priceTenths(tiers, 0n, from) / TENTHS_PER_WON) as Won;
}

/**
 * The tariff in effect on an event day: the latest `effectiveFrom` not after it, the higher version where two share a
 * date. Any order of input. Settlement rule 4.
 * @throws DomainError NO_TARIFF_IN_EFFECT when every tariff starts later.
 */
export function tariffOn(tariffs: readonly Tariff[], day: KstDay): Tariff {
  let best: Tariff | undefined;
  for (const tariff of tariffs) {
    if (tariff.effectiveFrom > day) continue;
    const isLater =
      best === undefined ||
      tariff.effectiveFrom > best.effectiveFrom ||
      (tariff.effectiveFrom === best.effectiveFrom && tariff.version > best.version);
    if (isLater) best = tariff;
  }
  if (best === undefined) throw new DomainError('NO_TARIFF_IN_EFFECT', `No tariff is in effect on ${day}.`);
  return best;
}
