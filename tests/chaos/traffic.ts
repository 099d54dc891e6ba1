import { setTimeout as pause } from 'node:timers/promises';
import { kstDayOf, sliceOf } from '#domain';
import { Random } from '../../services/ops/generator/random.js';

/** A video that traffic is about. */
export interface TrafficVideo {
  readonly videoId: bigint;
  readonly lengthSeconds: number;
}

export interface TrafficOptions {
  readonly gatewayUrl: string;
  /** A client token with scope `ingest`, for bulk calls. */
  readonly ingestToken: string;
  readonly videos: readonly TrafficVideo[];
  /** The Asia/Seoul day that the events are of. */
  readonly day: string;
  readonly seed: number;
}

/** What the sender knows of an event that it sent. */
export interface SentEvent {
  readonly eventId: string;
  readonly videoId: bigint;
  readonly slice: number;
  /** The Asia/Seoul day that it is of. */
  readonly day: string;
  readonly watchedAt: string;
  readonly playedTime: number;
  readonly lastWatched: number;
  readonly adViewCount: number;
  readonly viewer: string;
  /** Whether it breaks a rule on purpose. */
  readonly isBad: boolean;
  /** The first answer, or undefined while none has come. */
  outcome?: { readonly kind: 'stored'; readonly reason: string; readonly day: string } | { readonly kind: 'refused' };
}

export interface TrafficReport {
  readonly events: readonly SentEvent[];
  /** Answers that contradict what was promised, e.g. a duplicate with other content. */
  readonly contradictions: readonly string[];
  readonly calls: number;
  /** Calls that failed and were sent again: no answer, 429, 5xx. */
  readonly retries: number;
  /** What the first of those got instead of an answer. */
  readonly failures: readonly string[];
}

const SINGLE_CLIENTS = 3;
const BULK_EVENTS = 60;
const BULK_PAUSE_MS = 60;
const FAILURES_MAX = 20;
const RETRY_PAUSE_MS = 150;
const CALL_TIMEOUT_MS = 10_000;
/** How long a client goes on with a call that gets no answer. */
const GIVE_UP_MS = 90_000;
const DAY_MS = 86_400_000;
const SEOUL_OFFSET_MS = 9 * 3_600_000;
const VIEWERS = 400;
/** One event in so many is of this very moment instead of the day. */
const LIVE_ONE_IN = 12;

/**
 * Players and a bulk client that send what a seed says, with duplicates, retries and events that break a rule, until
 * they are told to stop. A client that got no answer sends the same again: that is what players do.
 */
export class Traffic {
  /** How often everything is sent, at the same time. */
  copies = 1;
  readonly #events: SentEvent[] = [];
  readonly #contradictions: string[] = [];
  readonly #random = new Random();
  readonly #clients: Promise<void>[] = [];
  #calls = 0;
  #retries = 0;
  readonly #failures: string[] = [];
  #stopped = false;
  #serial = 0;

  constructor(private readonly options: TrafficOptions) {
    this.#random.seed(options.seed, Number(options.day.replaceAll('-', '')), 17);
  }

  start(): void {
    for (let i = 0; i < SINGLE_CLIENTS; i++) this.#clients.push(this.#repeat(() => this.#sendSingle(), 5));
    this.#clients.push(this.#repeat(() => this.#sendBulk(), BULK_PAUSE_MS));
    this.#clients.push(this.#repeat(() => this.#play(), 50));
  }

  /** Ends when every call has its answer. */
  async stop(): Promise<TrafficReport> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return {
      events: this.#events,
      contradictions: this.#contradictions,
      calls: this.#calls,
      retries: this.#retries,
      failures: this.#failures,
    };
  }

  async #repeat(work: () => Promise<void>, pauseMs: number): Promise<void> {
    while (!this.#stopped) {
      await work();
      await pause(pauseMs);
    }
  }

  async #sendSingle(): Promise<void> {
    const event = this.#nextEvent('d');
    await this.#sendCopies(() => this.#callSingle(event));
    // A client that retries everything: one call in eight is sent again although it was answered.
    if (this.#random.below(8) === 0) await this.#callSingle(event);
  }

  async #callSingle(event: SentEvent): Promise<void> {
    const { viewer, videoId, playedTime, lastWatched, adViewCount, eventId, watchedAt } = event;
    const body = { videoId: String(videoId), playedTime, lastWatched, adViewCount, eventId, watchedAt };
    const answer = await this.#call('/v1/video/stop', body, { 'x-device-uuid': viewer.slice(2) });
    if (answer === undefined) return;
    if (answer.status === 422) this.#note(event, { kind: 'refused' });
    else if (answer.status === 200 || answer.status === 201) {
      const { reason, day } = answer.body as { reason: string; day: string };
      this.#note(event, { kind: 'stored', reason, day });
    } else this.#contradictions.push(`stop ${eventId} answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async #sendCopies(send: () => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: this.copies }, send));
  }

  async #sendBulk(): Promise<void> {
    const events = Array.from({ length: BULK_EVENTS }, (_, i) => this.#nextEvent(i % 2 === 0 ? 'd' : 'u'));
    // Some that were sent before, and one of this call twice.
    for (let i = 0; i < 3; i++) {
      const old = this.#events[this.#random.below(this.#events.length)];
      if (old !== undefined) events.push(old);
    }
    events.push(events[0]!);
    await this.#sendCopies(() => this.#callBulk(events));
  }

  async #callBulk(events: readonly SentEvent[]): Promise<void> {
    const body = {
      events: events.map((event) => ({
        videoId: String(event.videoId),
        playedTime: event.playedTime,
        lastWatched: event.lastWatched,
        adViewCount: event.adViewCount,
        eventId: event.eventId,
        watchedAt: event.watchedAt,
        viewer: event.viewer,
      })),
    };
    const answer = await this.#call('/v1/video/stops', body, { authorization: `Bearer ${this.options.ingestToken}` });
    if (answer === undefined) return;
    const { results } = answer.body as { results: { eventId: string; status: string; reason?: string }[] };
    if (answer.status !== 200 || results.length !== events.length) {
      this.#contradictions.push(`bulk call answered ${answer.status} with ${results?.length} results`);
      return;
    }
    results.forEach((result, i) => {
      const event = events[i]!;
      if (result.status === 'rejected') this.#note(event, { kind: 'refused' });
      else this.#note(event, { kind: 'stored', reason: result.reason!, day: event.day });
    });
  }

  async #play(): Promise<void> {
    const video = this.#pickVideo();
    const headers = { 'x-device-uuid': viewerOf('d', this.#random.below(VIEWERS)).slice(2) };
    const answer = await this.#call('/v1/video/play', { videoId: String(video.videoId) }, headers);
    if (answer !== undefined && answer.status !== 200) this.#contradictions.push(`play answered ${answer.status}`);
  }

  /** Keeps the first answer and finds any later one that says something else. */
  #note(event: SentEvent, outcome: NonNullable<SentEvent['outcome']>): void {
    if (event.isBad !== (outcome.kind === 'refused')) {
      this.#contradictions.push(`${event.isBad ? 'bad' : 'good'} event ${event.eventId} was ${outcome.kind}`);
    }
    const first = event.outcome;
    if (first === undefined) event.outcome = outcome;
    else if (JSON.stringify(first) !== JSON.stringify(outcome)) {
      this.#contradictions.push(`${event.eventId}: first ${JSON.stringify(first)}, then ${JSON.stringify(outcome)}`);
    }
  }

  #noteFailure(what: string): void {
    if (this.#failures.length < FAILURES_MAX) this.#failures.push(what);
  }

  /** Sends until there is an answer that is neither a refusal for now nor a failure. @returns undefined when given up */
  async #call(path: string, body: unknown, headers: Record<string, string>) {
    const giveUpAt = performance.now() + GIVE_UP_MS;
    for (;;) {
      this.#calls += 1;
      try {
        const response = await fetch(this.options.gatewayUrl + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
        });
        const text = await response.text();
        if (response.status < 500 && response.status !== 429) {
          return { status: response.status, body: JSON.parse(text) as unknown };
        }
        this.#noteFailure(`${path}: ${response.status} ${text}`);
      } catch (error) {
        // No answer: the same is sent again.
        this.#noteFailure(`${path}: ${(error as Error).message}`);
      }
      this.#retries += 1;
      if (performance.now() > giveUpAt) return undefined;
      await pause(RETRY_PAUSE_MS);
    }
  }

  #nextEvent(viewerKind: 'u' | 'd'): SentEvent {
    const video = this.#pickVideo();
    const isBad = this.#random.below(25) === 0;
    const ads = Math.floor(video.lengthSeconds / 300);
    const isLive = this.#random.below(LIVE_ONE_IN) === 0;
    const startMs = Date.parse(`${this.options.day}T00:00:00Z`) - SEOUL_OFFSET_MS;
    const ofDayMs = startMs + this.#random.below(DAY_MS);
    const watchedAtMs = isLive ? Date.now() : ofDayMs;
    const event: SentEvent = {
      eventId: this.#eventId(watchedAtMs),
      videoId: video.videoId,
      slice: sliceOf(video.videoId as never),
      day: kstDayOf(watchedAtMs),
      watchedAt: new Date(watchedAtMs).toISOString(),
      playedTime: isBad ? video.lengthSeconds + 1_000 : this.#random.below(video.lengthSeconds + 1),
      lastWatched: this.#random.below(video.lengthSeconds + 1),
      adViewCount: this.#random.below(ads + 1),
      viewer: viewerOf(viewerKind, this.#random.below(VIEWERS)),
      isBad,
    };
    this.#events.push(event);
    return event;
  }

  /** A UUID v7 of the instant, whose other bits follow from the seed and a counter. */
  #eventId(ms: number): string {
    const time = ms.toString(16).padStart(12, '0');
    const serial = (this.#serial++).toString(16).padStart(8, '0');
    const noise = this.#random.uint32().toString(16).padStart(8, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${noise.slice(0, 3)}-8${noise.slice(3, 6)}-${noise.slice(4)}${serial}`.slice(
      0,
      36,
    );
  }

  #pickVideo(): TrafficVideo {
    const { videos } = this.options;
    return videos[this.#random.below(videos.length)]!;
  }
}

/** What the names of traffic's viewers begin with; nobody else's do. */
export const VIEWER_PREFIXES = { u: 'u:990000000', d: 'd:00000000-0000-4000-8000-c0ffee00' } as const;

/** A signed-in user's or a device's name, the same for the same number below 10,000. */
function viewerOf(kind: 'u' | 'd', number: number): string {
  return `${VIEWER_PREFIXES[kind]}${String(number).padStart(4, '0')}`;
}
