import {
  aggregate,
  billedOnFor,
  type CreatorId,
  checkSettlementOrder,
  type DailyStatistic,
  decideReason,
  type EventId,
  isCounted,
  type KstDay,
  kstDayOf,
  type PlannedPosting,
  POLICY_V1,
  POSTING_KINDS,
  type PostingKind,
  planPosting,
  policyOn,
  REASON,
  type ReasonCode,
  type ReasonName,
  reasonName,
  sumWon,
  type Tariff,
  tariffOn,
  type VideoId,
  type Viewer,
  type Won,
} from '#domain';

export interface ModelVideo {
  readonly videoId: VideoId;
  readonly creatorId: CreatorId;
  readonly opening: Record<PostingKind, bigint>;
}

export interface ModelEvent {
  readonly eventId: EventId;
  readonly videoId: VideoId;
  readonly viewer: Viewer;
  readonly playedSeconds: number;
  readonly adViews: number;
  readonly watchedAtMs: number;
}

type StoredEvent = ModelEvent & { readonly day: KstDay; reason: ReasonCode };

export interface ModelPosting extends PlannedPosting {
  readonly videoId: VideoId;
  readonly kind: PostingKind;
  readonly day: KstDay;
  readonly billedOn: KstDay;
  readonly adjustment: boolean;
}

export interface ModelAnswer {
  readonly day: KstDay;
  readonly counted: boolean;
  readonly reason: ReasonName;
  readonly duplicate: boolean;
}

/** The whole product in memory, by the rules alone: what every real implementation must agree with. */
export class Model {
  readonly postings: ModelPosting[] = [];
  private readonly events = new Map<string, StoredEvent>();
  private lastSettledDay: KstDay | null = null;

  constructor(
    private readonly videos: readonly ModelVideo[],
    private readonly tariffs: readonly Tariff[],
  ) {}

  send(event: ModelEvent): ModelAnswer {
    const day = kstDayOf(event.watchedAtMs);
    const key = `${event.eventId}@${event.watchedAtMs}`;
    const known = this.events.get(key);
    if (known) return this.answer(known, true);
    const reason = decideReason({
      policy: policyOn([POLICY_V1], day),
      viewer: event.viewer,
      creatorId: this.video(event.videoId).creatorId,
      watchedAtMs: event.watchedAtMs,
      playedSeconds: event.playedSeconds,
      latestCountedAtMs: this.latestCountedAtMs(event),
    });
    const stored = { ...event, day, reason };
    this.events.set(key, stored);
    return this.answer(stored, false);
  }

  revoke(eventIds: ReadonlySet<EventId>): void {
    for (const event of this.events.values()) {
      if (eventIds.has(event.eventId) && isCounted(event.reason)) event.reason = REASON.REVOKED;
    }
  }

  run(day: KstDay, today: KstDay): { statistics: DailyStatistic[]; newPostings: ModelPosting[] } {
    const { kind: step } = checkSettlementOrder({ day, lastSettledDay: this.lastSettledDay, today });
    const statistics = this.statisticsOf(day);
    const newPostings = this.videos.flatMap(({ videoId }) => {
      const row = statistics.find((candidate) => candidate.videoId === videoId);
      return POSTING_KINDS.flatMap((kind) => {
        const units = BigInt((kind === 'view' ? row?.views : row?.adViews) ?? 0);
        return this.settle({ videoId, kind, day, units, today, adjustment: step === 'adjust' });
      });
    });
    if (step !== 'adjust') this.lastSettledDay = day;
    return { statistics, newPostings };
  }

  statisticsOf(day: KstDay): DailyStatistic[] {
    return aggregate([...this.events.values()].filter((event) => event.day === day));
  }

  chain(videoId: VideoId, kind: PostingKind): ModelPosting[] {
    return this.postings.filter((posting) => posting.videoId === videoId && posting.kind === kind);
  }

  position(videoId: VideoId, kind: PostingKind): bigint {
    return this.chain(videoId, kind).at(-1)?.to ?? this.video(videoId).opening[kind];
  }

  countedUnits(videoId: VideoId, kind: PostingKind): bigint {
    return [...this.events.values()]
      .filter((event) => event.videoId === videoId && isCounted(event.reason))
      .reduce((sum, event) => sum + (kind === 'view' ? 1n : BigInt(event.adViews)), 0n);
  }

  ledgerTotal(): Won {
    return sumWon(this.postings.map(({ amount }) => amount));
  }

  private settle(input: {
    videoId: VideoId;
    kind: PostingKind;
    day: KstDay;
    units: bigint;
    today: KstDay;
    adjustment: boolean;
  }): ModelPosting[] {
    const { videoId, kind, day, units, today, adjustment } = input;
    const postedUnits = this.chain(videoId, kind)
      .filter((posting) => posting.day === day)
      .reduce((sum, posting) => sum + posting.to - posting.from, 0n);
    const position = this.position(videoId, kind);
    const plan = planPosting({ tariff: tariffOn(this.tariffs, day), kind, position, units, postedUnits });
    if (plan === null) return [];
    const billedOn = billedOnFor({ eventDay: day, daySettledBefore: adjustment, postingDay: today });
    const posting = { videoId, kind, day, billedOn, adjustment, ...plan };
    this.postings.push(posting);
    return [posting];
  }

  private video(videoId: VideoId): ModelVideo {
    const video = this.videos.find((candidate) => candidate.videoId === videoId);
    if (!video) throw new Error(`no video ${videoId}`);
    return video;
  }

  /** "Latest" is by when it was watched, not by when it arrived. */
  private latestCountedAtMs({ viewer, videoId }: ModelEvent): number | null {
    const counted = [...this.events.values()].filter(
      (event) => event.viewer === viewer && event.videoId === videoId && isCounted(event.reason),
    );
    return counted.length === 0 ? null : Math.max(...counted.map(({ watchedAtMs }) => watchedAtMs));
  }

  private answer({ day, reason }: StoredEvent, duplicate: boolean): ModelAnswer {
    return { day, counted: isCounted(reason), reason: reasonName(reason), duplicate };
  }
}
