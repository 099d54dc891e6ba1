import type { Pool } from 'mysql2/promise';
import { type IsoWeek, type KstDay, weekOf } from '#domain';
import { poll } from '../../deploy/local/stack/index.js';
import type { SmtpSink } from '../stack/support/smtp-sink.js';
import { skipStatements } from '../support/schedule.js';
import type { World } from './world.js';

/** Their creators get a statement in every scenario. */
const VIDEOS = 20;
const FIRST_DAY_EVENTS = 2_000;
const ACCEPTED_DEADLINE_MS = 60_000;
const MAILED_DEADLINE_MS = 90_000;

/** What has become of the mails of a scenario. */
export interface MailVerdict {
  /** Mails that arrived during the scenario. */
  readonly delivered: number;
  readonly problems: readonly string[];
}

/**
 * Weekly statements that go out while things break. The books open on a Sunday, so its week is settled at once. What comes
 * late changes no statement; so before each scenario what is known of each creator's latest numbers is forgotten, and every
 * scenario makes a new revision of each statement, and mails it.
 */
export class Statements {
  #runId: string | undefined;
  #creators = 0;
  #mailsBefore = 0;
  #deliveredBefore = 0;

  constructor(
    private readonly world: World,
    private readonly sink: SmtpSink,
    private readonly sunday: KstDay,
  ) {}

  get #week(): IsoWeek {
    return weekOf(this.sunday);
  }

  /** Opens the books, and gives every creator an address. */
  async prepare(options: { creators: number; seed: number }): Promise<void> {
    const { world, sunday } = this;
    // Asking for the week is the scenarios'.
    await skipStatements(world.db, sunday);
    await world.fillDay(sunday, { events: FIRST_DAY_EVENTS, videos: VIDEOS, ...options });
    for (let id = 1; id <= options.creators; id += 1) {
      await world.rows("INSERT IGNORE INTO playbill_user.user VALUES (?, ?, 'x', 0, '2020-01-01')", [
        id,
        `creator-${id}@playbill.example`,
      ]);
    }
    await world.settle(sunday);
    const [[creators] = ['0']] = await world.rows<[string]>(
      'SELECT COUNT(DISTINCT creator_id) FROM playbill_batch.posting WHERE event_day = ?',
      [sunday],
    );
    this.#creators = Number(creators);
    // What is on the replicas only later is not in the first statements.
    await world.stack.waitHealthy();
  }

  /** Makes the numbers of the week's statements look like others. */
  async change(): Promise<void> {
    const forget = "UPDATE playbill_report.statement SET settlement_hash = REPEAT('0', 64) WHERE week = ?";
    await this.world.rows(forget, [this.#week]);
  }

  /** Asks for the week's statements, however often it takes. */
  async request(): Promise<void> {
    const run = await poll(() => this.world.reports.makeStatements(this.#week), {
      what: `statements of ${this.#week} to be accepted`,
      deadlineMs: ACCEPTED_DEADLINE_MS,
      intervalMs: 200,
    });
    this.#runId = run.runId;
  }

  /**
   * Waits until nothing is under way. At most one mail a creator and revision may have arrived; one that is said to be
   * sent has; one that may or may not have arrived is said to be in doubt, and nothing else may have become of it.
   */
  async judge(): Promise<MailVerdict> {
    const problems: string[] = [];
    await poll(() => this.#areMade(), { what: 'the end of the statements', deadlineMs: MAILED_DEADLINE_MS }).catch(
      (error: Error) => problems.push(error.message),
    );
    const arrived = new Map<string, number>();
    for (const { messageId = '' } of this.sink.mails) arrived.set(messageId, (arrived.get(messageId) ?? 0) + 1);
    const mails = await mailsOf(this.world.db, this.#week);
    for (const { id, state, failure } of mails) {
      const times = arrived.get(id) ?? 0;
      arrived.delete(id);
      if (times > 1) problems.push(`mail ${id} arrived ${times} times`);
      if (state === 'sent' && times === 0) problems.push(`mail ${id} is said to be sent, and did not arrive`);
      if (state === 'failed' && failure !== 'IN_DOUBT') problems.push(`mail ${id} failed: ${failure}`);
    }
    for (const id of arrived.keys()) problems.push(`mail ${id} arrived, and nobody knows of it`);
    const made = mails.length - this.#mailsBefore;
    if (made !== this.#creators) problems.push(`${made} new mails for ${this.#creators} creators`);
    const delivered = this.sink.mails.length - this.#deliveredBefore;
    this.#mailsBefore = mails.length;
    this.#deliveredBefore = this.sink.mails.length;
    return { delivered, problems };
  }

  async #areMade(): Promise<true | undefined> {
    const { world } = this;
    const run = await world.reports.readRun(this.#runId!);
    const [[open] = ['1']] = await world.rows<[string]>(
      "SELECT COUNT(*) FROM playbill_report.mail WHERE week = ? AND state NOT IN ('sent', 'failed')",
      [this.#week],
    );
    const [[behind] = ['1']] = await world.rows<[string]>(
      `SELECT COUNT(*) FROM playbill_report.statement s LEFT JOIN playbill_report.mail m
         ON m.creator_id = s.creator_id AND m.week = s.week AND m.revision = s.revision
       WHERE s.week = ? AND m.mail_id IS NULL`,
      [this.#week],
    );
    return (run.state === 'completed' && Number(open) === 0 && Number(behind) === 0) || undefined;
  }
}

async function mailsOf(db: Pool, week: IsoWeek) {
  const [rows] = await db.query({
    sql: 'SELECT creator_id, revision, state, failure FROM playbill_report.mail WHERE week = ?',
    values: [week],
    rowsAsArray: true,
  });
  return (rows as [string, number, string, string | null][]).map(([creatorId, revision, state, failure]) => ({
    id: `<statement.${creatorId}.${week}.r${revision}@playbill.example>`,
    state,
    failure,
  }));
}
