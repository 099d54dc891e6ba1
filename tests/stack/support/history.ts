import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { DataSource } from 'typeorm';
import {
  addDays,
  type BillLine,
  compareDays,
  DomainError,
  type KstDay,
  parseTariff,
  startOfDayMs,
  type TariffInput,
} from '#domain';
import { readBillLines, readBooks, settledDays } from '#lib/results';
import { holdDay, releaseDay } from '../../../services/batch/usecases/hold-day.js';
import { reconcile, reconcileBooks } from '../../../services/batch/usecases/reconcile.js';
import { requestRun } from '../../../services/batch/usecases/request-run.js';
import { queueReruns, requestReruns } from '../../../services/batch/usecases/rerun.js';
import { addTariff } from '../../../services/batch/usecases/tariffs.js';
import { actOnTick } from '../../../services/batch/usecases/tick.js';
import { loadOpening } from '../../../services/ops/opening/load-opening.js';
import { insertEvent, insertVideo, revokeById } from './events.js';
import type { Death, InProcessBatch } from './in-process.js';
import { KINDS, type Kind, Oracle, type OracleTariff, type OracleVideo } from './oracle.js';

/** The first day that anything happens on. */
export const START = '2026-05-01' as KstDay;

export interface Send {
  readonly act: 'send';
  /** How many days before today it was watched; not before the first day. */
  readonly daysAgo: number;
  readonly video: number;
  readonly views: number;
  readonly adViews: number;
  readonly excluded: boolean;
}

/** What happens while an act is done. */
export interface Disturbance {
  /** Processes die, one after the other; whoever had asked asks again. */
  readonly deaths: readonly Death[];
  /** Events arrive just before the n-th statement. */
  readonly meanwhile: { readonly statement: number; readonly send: Send } | null;
}

/** A step of a history. */
export type Act =
  | Send
  | { readonly act: 'day passes' }
  | { readonly act: 'schedule'; readonly by: Disturbance }
  | {
      readonly act: 'run';
      readonly daysAgo: number;
      readonly job: 'daily' | 'statistics' | 'settlement';
      readonly by: Disturbance;
    }
  | { readonly act: 'revoke'; readonly pick: number; readonly count: number; readonly by: Disturbance }
  | { readonly act: 'tariff'; readonly daysAhead: number; readonly terms: number; readonly by: Disturbance }
  | { readonly act: 'hold' | 'release'; readonly daysAgo: number; readonly by: Disturbance };

const UNDISTURBED: Disturbance = { deaths: [], meanwhile: null };

export interface History {
  readonly openings: readonly (readonly [views: number, adViews: number])[];
  readonly acts: readonly Act[];
}

/** Tariffs that a history may bring in: both roundings, tiers that the videos' positions cross, free units. */
export const TERMS: readonly Omit<TariffInput, 'effectiveFrom'>[] = [
  {
    rounding: 'cumulative',
    view: [
      { from: 0, unitPrice: 0.7 },
      { from: 100_003, unitPrice: '1.3' },
    ],
    ad: [
      { from: 0, unitPrice: 3.3 },
      { from: 12, unitPrice: 0 },
    ],
  },
  { rounding: 'line', view: [{ from: 0, unitPrice: 0.3 }], ad: [{ from: 0, unitPrice: 9.9 }] },
  {
    rounding: 'cumulative',
    view: [{ from: 0, unitPrice: 1 }],
    ad: [
      { from: 0, unitPrice: 11.1 },
      { from: 99_999, unitPrice: 7.7 },
    ],
  },
];

/** Creators 1 and 65 share a slice, and so do videos 1 and 65. */
const VIDEOS = [
  { id: 1, creator: 1 },
  { id: 2, creator: 1 },
  { id: 65, creator: 65 },
  { id: 7, creator: 9 },
];
/** Enough for a transaction that nothing stands in the way of. */
const ARRIVAL_WAIT_MS = 40;

const CLEARED = [
  ...['run', 'run_slice', 'daily_statistic', 'statistic_day', 'settlement_day', 'position', 'posting', 'adjustment'],
  'late_exclusion',
  ...[
    'ledger_entry',
    'ledger_account',
    'ledger_checkpoint',
    'top_video',
    'day_hold',
    'rerun_request',
    'tick',
    'outbox',
  ],
];

export interface HistoryServices {
  readonly db: Connection;
  /** The operator's own account, for opening positions. */
  readonly operator: DataSource;
  readonly batch: InProcessBatch;
}

/** Plays a history on the real database beside the oracle, and compares what came of it. */
export class HistoryPlayer {
  readonly #oracle: Oracle;
  #events = 0;
  /** Events that are being stored by another process; it may wait for what ours has locked. */
  #arriving: Promise<void> | undefined;

  constructor(
    private readonly services: HistoryServices,
    private readonly history: History,
  ) {
    const videos: OracleVideo[] = VIDEOS.map((video, i) => {
      const [view, ad] = history.openings[i] ?? [0, 0];
      return { ...video, opening: { view, ad } };
    });
    this.#oracle = new Oracle(videos);
  }

  /** @throws when anything is not as the oracle has it */
  async play(): Promise<void> {
    await this.#openBooks();
    for (const act of this.history.acts) await this.#do(act);
    await this.#catchUp();
    await this.#compare();
  }

  async #openBooks(): Promise<void> {
    const { db, operator, batch } = this.services;
    await db.beginTransaction();
    for (const table of CLEARED) await db.query(`DELETE FROM playbill_batch.${table}`);
    await db.query('DELETE FROM playbill_batch.tariff WHERE version > 1');
    await db.query('DELETE FROM playbill_batch.tariff_tier WHERE version > 1');
    await db.query('UPDATE playbill_batch.books SET opened_on = NULL, opening_sha256 = NULL');
    for (const table of ['playbill_watch.watch_event', 'playbill_watch.dirty_slice', 'playbill_video.video']) {
      await db.query(`DELETE FROM ${table}`);
    }
    await db.commit();
    batch.today = START;
    const lines = ['videoId,views,adViews'];
    for (const { id, creator, opening } of this.#oracle.videos) {
      await insertVideo(db, { videoId: id, creatorId: creator, lengthSeconds: 3_600 });
      if (opening.view + opening.ad > 0) lines.push(`${id},${opening.view},${opening.ad}`);
    }
    if (lines.length > 1) await loadOpening({ primary: operator }, { text: lines.join('\n'), actor: 'test' });
  }

  async #do(act: Act): Promise<void> {
    const { batch } = this.services;
    switch (act.act) {
      case 'send':
        return this.#send(act);
      case 'day passes':
        batch.today = addDays(batch.today, 1);
        return;
      case 'schedule':
        return this.#work(act.by, () => actOnTick(batch.context, batch.today));
      case 'run':
        return this.#run(act);
      case 'revoke':
        return this.#revoke(act);
      case 'tariff':
        return this.#addTariff(act);
      default:
        return this.#holdOrRelease(act);
    }
  }

  #dayOf(daysAgo: number): KstDay {
    const day = addDays(this.services.batch.today, -daysAgo);
    return compareDays(day, START) < 0 ? START : day;
  }

  async #send({ daysAgo, video, views, adViews, excluded }: Send): Promise<void> {
    const { db, batch } = this.services;
    const day = this.#dayOf(daysAgo);
    for (let i = 0; i < views; i++) {
      this.#events += 1;
      const id = `00000000-0000-7000-8000-${String(this.#events).padStart(12, '0')}`;
      const videoId = VIDEOS[video % VIDEOS.length]!.id;
      await insertEvent(db, {
        eventId: id,
        videoId,
        viewer: `u:${1_000 + this.#events}`,
        watchedAtMs: startOfDayMs(day) + this.#events * 1_000,
        playedSeconds: 30,
        adViews,
        reason: excluded ? 2 : 0,
        today: batch.today,
      });
      this.#oracle.events.push({ id, day, video: videoId, adViews, counted: !excluded });
    }
  }

  async #run(act: Extract<Act, { act: 'run' }>): Promise<void> {
    const { batch } = this.services;
    const day = this.#dayOf(act.daysAgo);
    const refusal = this.#expectedRefusal(day, act.job);
    const ask = async () => {
      try {
        await requestRun(batch.context, { from: day, to: day, job: act.job, requestedBy: 'test' });
        if (refusal !== undefined) throw new Error(`the ${act.job} of ${day} was not refused: ${refusal}`);
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== refusal) throw error;
      }
    };
    await this.#work(act.by, ask);
  }

  #expectedRefusal(day: KstDay, job: string): string | undefined {
    if (day >= this.services.batch.today) return 'DAY_NOT_OVER';
    const last = this.#oracle.lastSettledDay;
    const isGap = last !== undefined && day > last && day !== addDays(last as KstDay, 1);
    if (job !== 'statistics' && isGap) return 'SETTLEMENT_GAP';
    return job === 'settlement' && !this.#oracle.hasStatistics(day) ? 'STATISTICS_MISSING' : undefined;
  }

  /** Asks, and drives whatever can go on; a process that dies is followed by one that is asked again. */
  async #work({ deaths, meanwhile }: Disturbance, ask: () => Promise<unknown>): Promise<void> {
    const { batch } = this.services;
    const work = async () => {
      await ask();
      await batch.drive();
    };
    let statements = 0;
    batch.beforeStatement = async (sql, values) => {
      statements += 1;
      if (statements === meanwhile?.statement) await this.#arrive(meanwhile.send);
      await this.#watch(sql, values);
    };
    for (const death of deaths) {
      if ((await batch.dyingAt(death, work)) === 'died') await batch.passLeases();
    }
    await work();
    batch.beforeStatement = async () => undefined;
    await this.#arriving;
    await this.#refuseFailedRuns();
  }

  /** Events arrive in a transaction of their own, which goes on beside ours when it waits for what ours has locked. */
  async #arrive(send: Send): Promise<void> {
    this.#arriving = this.#send(send);
    await Promise.race([this.#arriving, pause(ARRIVAL_WAIT_MS)]);
  }

  /** Tells the oracle what is done at this statement, of which there is no other trace that a death would leave. */
  async #watch(sql: string, values: unknown[]): Promise<void> {
    const isSum = sql.includes('GROUP_CONCAT(');
    // Outside a transaction ours has locked nothing.
    if (isSum || sql === 'START TRANSACTION') await this.#arriving;
    if (isSum) this.#oracle.compute(String(values[1]), Number(values[2]));
    if (sql.includes('INSERT INTO playbill_batch.statistic_day')) this.#oracle.completeStatistics(String(values[0]));
    if (/FROM playbill_batch.daily_statistic\s+WHERE day = \? AND creator_slice = \?/.test(sql)) {
      this.#oracle.post(String(values[0]), Number(values[1]), this.services.batch.today);
    }
    if (sql.includes('INSERT INTO playbill_batch.settlement_day')) this.#oracle.close(String(values[0]));
  }

  async #refuseFailedRuns(): Promise<void> {
    const [rows] = await this.services.db.query("SELECT day, error FROM playbill_batch.run WHERE state = 'failed'");
    const [failed] = rows as { day: string; error: string }[];
    if (failed !== undefined) throw new Error(`the run of ${failed.day} failed: ${failed.error}`);
  }

  /** Revokes some of the counted events as the watch-history service does, and has their days run again. */
  async #revoke({ pick, count, by }: Extract<Act, { act: 'revoke' }>): Promise<void> {
    const { db, batch } = this.services;
    const counted = this.#oracle.events.filter((event) => event.counted);
    if (counted.length === 0) return;
    const picked = Array.from(
      { length: Math.min(count, counted.length) },
      (_, i) => counted[(pick + i * 7) % counted.length]!,
    );
    const events = [...new Set(picked)];
    const changed = await revokeById(
      db,
      events.map((event) => event.id),
    );
    if (changed !== events.length) throw new Error(`${changed} events revoked of ${events.length}`);
    for (const event of events) event.counted = false;
    const days = [...new Set(events.map((event) => event.day as KstDay))];
    await requestReruns(batch.context, { days, requestedBy: 'test' });
    await this.#work(by, () => queueReruns(batch.context));
  }

  async #addTariff({ daysAhead, terms, by }: Extract<Act, { act: 'tariff' }>): Promise<void> {
    const { batch } = this.services;
    const effectiveFrom = addDays(batch.today, daysAhead);
    const input = { ...TERMS[terms % TERMS.length]!, effectiveFrom };
    const parsed = parseTariff(input);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    const last = this.#oracle.lastSettledDay;
    const there = this.#oracle.tariffs.find((tariff) => tariff.effectiveFrom === effectiveFrom);
    const isClosed = last !== undefined && effectiveFrom <= last;
    let version: number | undefined;
    await this.#work(by, async () => {
      try {
        version = (await addTariff(batch.context, { terms: parsed.terms, actor: 'test' })).version;
      } catch (error) {
        const isExpected =
          error instanceof DomainError && /^TARIFF_/.test(error.code) && (isClosed || there !== undefined);
        if (!isExpected) throw error;
      }
    });
    if (version === undefined || there !== undefined) return;
    if (isClosed) throw new Error(`a tariff from ${effectiveFrom} on was not refused`);
    this.#oracle.tariffs.push(oracleTariff(version, input));
  }

  async #holdOrRelease({ act, daysAgo, by }: Extract<Act, { act: 'hold' | 'release' }>): Promise<void> {
    const { batch } = this.services;
    const request = { day: this.#dayOf(daysAgo), reason: 'test', actor: 'test' };
    await this.#work(by, async () => {
      if (act === 'hold') return holdDay(batch.context, request);
      return this.#release(request.day);
    });
  }

  async #release(day: KstDay): Promise<void> {
    try {
      await releaseDay(this.services.batch.context, { day, reason: 'test', actor: 'test' });
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'DAY_NOT_HELD') throw error;
    }
  }

  /** Every hold is released, and the schedule does what is left to be done. */
  async #catchUp(): Promise<void> {
    const { db, batch } = this.services;
    const [held] = await db.query("SELECT DATE_FORMAT(day, '%Y-%m-%d') AS day FROM playbill_batch.day_hold");
    for (const { day } of held as { day: KstDay }[]) await this.#work(UNDISTURBED, () => this.#release(day));
    for (let i = 0; i < 2; i++) {
      batch.today = addDays(batch.today, 1);
      await this.#work(UNDISTURBED, () => actOnTick(batch.context, batch.today));
    }
  }

  async #compare(): Promise<void> {
    const { batch } = this.services;
    expectEqual('postings', await this.#postings(), this.#expectedPostings());
    const books = await reconcileBooks(batch.context);
    expectEqual('differences of the books', books.differences, []);
    for (const day of this.#oracle.settledDays) {
      const { differences, ledger, postings } = await reconcile(batch.context, day as KstDay);
      expectEqual(`differences of ${day}`, differences, []);
      expectEqual(`money of ${day}`, ledger.amount, postings.amount);
      expectEqual(`exclusions of ${day}`, await this.#excludedOnBills(day as KstDay), this.#expectedExclusions(day));
      for (const { id } of this.#oracle.videos) {
        for (const kind of KINDS) {
          const counted = this.#oracle.countedUnits(day, id, kind);
          expectEqual(`units of ${day}, ${id}, ${kind}`, this.#oracle.postedUnits(day, id, kind), counted);
        }
      }
    }
  }

  /** Excluded events on the bills of a day, a line a video. */
  async #excludedOnBills(day: KstDay): Promise<string[]> {
    const { primary } = this.services.batch.context.database;
    const days = { settled: settledDays(await readBooks(primary, 0n), [day]), billed: [] };
    const creators = [...new Set(this.#oracle.videos.map(({ creator }) => BigInt(creator)))];
    const bills = await Promise.all(creators.map((creator) => readBillLines(primary, creator, days)));
    const sum = ({ excluded }: BillLine) => Object.values(excluded).reduce((total, count) => total + count, 0n);
    return bills
      .flat()
      .filter((line) => sum(line) !== 0n)
      .map((line) => `${line.videoId}: ${sum(line)}`)
      .sort();
  }

  #expectedExclusions(day: string): string[] {
    return this.#oracle.videos
      .filter(({ id }) => this.#oracle.excludedOnBill(day, id) !== 0)
      .map(({ id }) => `${id}: ${this.#oracle.excludedOnBill(day, id)}`)
      .sort();
  }

  #expectedPostings(): string[] {
    return this.#oracle.videos
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .flatMap((id) => KINDS.flatMap((kind) => this.#oracle.chain(id, kind)))
      .map((p) => [p.video, p.kind, p.creator, p.day, p.billedOn, p.tariff, p.from, p.to, p.amount].join(' '));
  }

  async #postings(): Promise<string[]> {
    const [rows] = await this.services.db.query({
      sql: `SELECT video_id, kind, creator_id, DATE_FORMAT(event_day, '%Y-%m-%d'), DATE_FORMAT(billed_on, '%Y-%m-%d'),
          tariff_version, from_position, to_position, amount
        FROM playbill_batch.posting ORDER BY video_id, kind, seq`,
      rowsAsArray: true,
    });
    return (rows as unknown[][]).map((row) => row.join(' '));
  }
}

function oracleTariff(version: number, { effectiveFrom, rounding, view, ad }: TariffInput): OracleTariff {
  const tiers = (input: TariffInput['view']) =>
    input.map(({ from, unitPrice }) => [Number(from), Math.round(Number(unitPrice) * 10)] as const);
  return {
    version,
    effectiveFrom,
    rounding: rounding as OracleTariff['rounding'],
    tiers: { view: tiers(view), ad: tiers(ad) } satisfies Record<Kind, unknown>,
  };
}

function expectEqual(what: string, actual: unknown, expected: unknown): void {
  const [left, right] = [actual, expected].map((value) => JSON.stringify(value, null, 1));
  if (left !== right) throw new Error(`${what}\n is        ${left}\n should be ${right}`);
}
