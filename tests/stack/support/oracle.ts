/**
 * What must result, written straight from the rules and from nothing else: no code of the product is used here.
 */

export type Kind = 'view' | 'ad';
export const KINDS: readonly Kind[] = ['view', 'ad'];

export interface OracleVideo {
  readonly id: number;
  readonly creator: number;
  readonly opening: Record<Kind, number>;
}

export interface OracleEvent {
  readonly id: string;
  readonly day: string;
  readonly video: number;
  readonly adViews: number;
  counted: boolean;
}

export interface OracleTariff {
  readonly version: number;
  readonly effectiveFrom: string;
  readonly rounding: 'line' | 'cumulative';
  /** From which position on a unit costs how many tenths of a won. */
  readonly tiers: Record<Kind, readonly (readonly [from: number, tenths: number])[]>;
}

export interface OraclePosting {
  readonly video: number;
  readonly creator: number;
  readonly kind: Kind;
  readonly day: string;
  readonly billedOn: string;
  readonly tariff: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}

/** Tariff v1 of the rules. */
export const TARIFF_1: OracleTariff = {
  version: 1,
  effectiveFrom: '1970-01-01',
  rounding: 'line',
  tiers: {
    view: [
      [0, 10],
      [100_000, 11],
      [500_000, 13],
      [1_000_000, 15],
    ],
    ad: [
      [0, 100],
      [100_000, 120],
      [500_000, 150],
      [1_000_000, 200],
    ],
  },
};

export class Oracle {
  readonly events: OracleEvent[] = [];
  readonly tariffs: OracleTariff[] = [TARIFF_1];
  readonly postings: OraclePosting[] = [];
  readonly settledDays = new Set<string>();
  /** Counted units as the statistics had them when they were last computed. */
  readonly #statistics = new Map<string, number>();
  readonly #computedDays = new Set<string>();
  readonly #excluded = new Map<string, number>();
  readonly #excludedAtClose = new Map<string, number>();

  constructor(readonly videos: readonly OracleVideo[]) {}

  get lastSettledDay(): string | undefined {
    return [...this.settledDays].sort().at(-1);
  }

  hasStatistics(day: string): boolean {
    return this.#computedDays.has(day);
  }

  countedUnits(day: string, video: number, kind: Kind): number {
    const counted = this.events.filter((event) => event.day === day && event.video === video && event.counted);
    return counted.reduce((sum, event) => sum + (kind === 'view' ? 1 : event.adViews), 0);
  }

  /** The statistics of a day are computed now, of the videos in a slice. */
  compute(day: string, slice: number): void {
    for (const { id } of this.videos) {
      if (id % 64 !== slice) continue;
      for (const kind of KINDS) this.#statistics.set(`${day}/${id}/${kind}`, this.countedUnits(day, id, kind));
      const excluded = this.events.filter((event) => event.day === day && event.video === id && !event.counted);
      this.#excluded.set(`${day}/${id}`, excluded.length);
    }
  }

  completeStatistics(day: string): void {
    this.#computedDays.add(day);
  }

  /** What the creators in a slice have on the day is posted, on the calendar day `today`. */
  post(day: string, creatorSlice: number, today: string): void {
    const isAdjustment = this.lastSettledDay !== undefined && day <= this.lastSettledDay;
    for (const video of this.videos) {
      if (video.creator % 64 !== creatorSlice) continue;
      for (const kind of KINDS) this.#post({ video, kind, day, billedOn: isAdjustment ? today : day });
    }
  }

  /** The day's settlement is complete. From the first time on, its bill is final. */
  close(day: string): void {
    const isLate = this.lastSettledDay !== undefined && day <= this.lastSettledDay;
    for (const { id } of isLate ? [] : this.videos) {
      this.#excludedAtClose.set(`${day}/${id}`, this.#excluded.get(`${day}/${id}`) ?? 0);
    }
    this.settledDays.add(day);
  }

  /** Excluded events on the bill of a settled day. */
  excludedOnBill(day: string, video: number): number {
    return this.#excludedAtClose.get(`${day}/${video}`) ?? 0;
  }

  chain(video: number, kind: Kind): OraclePosting[] {
    return this.postings.filter((posting) => posting.video === video && posting.kind === kind);
  }

  postedUnits(day: string, video: number, kind: Kind): number {
    return this.chain(video, kind)
      .filter((posting) => posting.day === day)
      .reduce((sum, posting) => sum + posting.to - posting.from, 0);
  }

  #post({ video, kind, day, billedOn }: { video: OracleVideo; kind: Kind; day: string; billedOn: string }): void {
    const units = this.#statistics.get(`${day}/${video.id}/${kind}`) ?? 0;
    const difference = units - this.postedUnits(day, video.id, kind);
    if (difference === 0) return;
    const from = this.chain(video.id, kind).at(-1)?.to ?? video.opening[kind];
    const to = from + difference;
    const tariff = this.#tariffOn(day);
    const amount = amountOf(tariff, kind, from, to);
    const creator = video.creator;
    this.postings.push({ video: video.id, creator, kind, day, billedOn, tariff: tariff.version, from, to, amount });
  }

  #tariffOn(day: string): OracleTariff {
    const inEffect = this.tariffs.filter((tariff) => tariff.effectiveFrom <= day);
    return inEffect.reduce((best, tariff) => (tariff.effectiveFrom > best.effectiveFrom ? tariff : best));
  }
}

/** The won of a posting between two positions; downwards, minus what the way up is worth. */
export function amountOf(tariff: OracleTariff, kind: Kind, from: number, to: number): number {
  if (to < from) return -amountOf(tariff, kind, to, from);
  const tiers = tariff.tiers[kind];
  if (tariff.rounding === 'line') return Math.floor(priceOf(tiers, from, to) / 10);
  const before = priceOf(tiers, 0, from);
  return Math.floor((before + priceOf(tiers, from, to)) / 10) - Math.floor(before / 10);
}

type Tiers = OracleTariff['tiers'][Kind];

/** Tenths of a won for the units at the positions `from` … `to − 1`, each at its own price. */
function priceOf(tiers: Tiers, from: number, to: number): number {
  let sum = 0;
  let position = from;
  while (position < to) {
    const [tier, next] = tierAt(tiers, position);
    // Whole stretches of one price are multiplied, or a video with a long life would take for ever.
    const end = Math.min(to, next);
    sum += (end - position) * tier;
    position = end;
  }
  return sum;
}

/** The price at a position, and where it ends. */
function tierAt(tiers: Tiers, position: number): [tenths: number, next: number] {
  let tenths = 0;
  for (const [from, price] of tiers) {
    if (from > position) return [tenths, from];
    tenths = price;
  }
  return [tenths, Number.POSITIVE_INFINITY];
}
