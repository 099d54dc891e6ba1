import type { Connection } from 'mysql2/promise';
import request from 'supertest';
import { addDays, endOfDayMs, type IsoWeek, kstDayOf, latestPeriodOver, weekOf } from '#domain';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { reportClientOf } from '../../services/ops/adapters/report-client.js';
import { createApp } from '../../services/report/app.js';
import { replayMails } from '../../services/report/repositories/mail-repository.js';
import { sendDueMails } from '../../services/report/usecases/send-mails.js';
import { actOnSchedule, requestStatements, workOnRun } from '../../services/report/usecases/statement-runs.js';
import { createTestIssuer, type TestIssuer } from '../support/identity.js';
import { parseCsv } from '../unit/report/support.js';
import { forgetEverything, runDay } from './support/batch.js';
import { InProcessReport } from './support/in-process-report.js';
import { type SmtpSink, startSmtpSink } from './support/smtp-sink.js';
import { adminConnection, eventually, generate, replicaConnection, stack } from './support/stack.js';

const TODAY = kstDayOf(Date.now());
const WEEK: IsoWeek = weekOf(latestPeriodOver('weekly', Date.now()).from);
/** The week's Sunday; the books open on it. */
const DAY = latestPeriodOver('weekly', Date.now()).to;
const CREATORS = 40;

let db: Connection;
let report: InProcessReport;
let sink: SmtpSink;
let issuer: TestIssuer;

/** The report service of the stack is away, so that only this process makes statements and sends mails. */
beforeAll(async () => {
  await stack().setAutoRestart('report', false);
  await stack().kill('report');
  db = await adminConnection();
  await forgetEverything();
  await forgetReports();
  await generate({ day: DAY, events: 20_000, videos: 200, creators: CREATORS, seed: 11 });
  await runDay(DAY);
  const mails = await startSmtpSink();
  sink = mails;
  report = await InProcessReport.open(mails.port);
  issuer = await createTestIssuer();
  await eventually(async () => ((await topIsFinal()) ? true : undefined), {
    what: "the week's Top 5",
    deadlineMs: 30_000,
  });
}, 120_000);

afterAll(async () => {
  await report.close();
  await sink.close();
  await forgetReports();
  await db.end();
  await stack().setAutoRestart('report', true);
  await stack().waitHealthy();
}, 60_000);

afterEach(() => {
  sink.answer = () => 'accept';
  report.onBeforeEnd = async () => undefined;
});

async function forgetReports(): Promise<void> {
  for (const table of ['statement', 'mail', 'statement_run', 'outbox', 'tick']) {
    await db.query(`DELETE FROM playbill_report.${table}`);
  }
}

async function topIsFinal(): Promise<boolean> {
  const rows = await select("SELECT is_final FROM playbill_batch.top_period WHERE period_kind = 'weekly'");
  return rows.length > 0 && rows.every((row) => Number(row.is_final) === 1);
}

// biome-ignore lint/suspicious/noExplicitAny: rows have the shape of the statement
async function select(sql: string, values: unknown[] = []): Promise<any[]> {
  const [rows] = await db.query(sql, values);
  return rows as never;
}

function app() {
  return createApp({ context: report.context, verifier: issuer.verifier, ready: async () => undefined });
}

const APP_TOKEN = 'x'.repeat(16);
const OPERATOR = { roles: ['creator', 'operator'] } as const;

interface Call {
  readonly roles?: readonly ('creator' | 'operator')[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** One call to the service as the user with that id. */
async function call(method: 'get' | 'post', path: string, userId: string, { roles, headers, body }: Call = {}) {
  const token = await issuer.userToken({ userId, roles: roles ?? ['creator'] });
  const sending = request(app())
    [method](path)
    .set({ 'dapr-api-token': APP_TOKEN, authorization: `Bearer ${token}`, ...headers });
  return body === undefined ? sending : sending.send(body);
}

/** Makes the week's statements and queues their mails. */
async function makeAll(): Promise<void> {
  await requestStatements(report.context, WEEK, 'test');
  await workOnRun(report.context);
}

/** Sends what is due until nothing is, time passing meanwhile. */
async function sendAll(): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    await db.query("UPDATE playbill_report.mail SET next_attempt_at = '2000-01-01' WHERE state = 'queued'");
    if ((await sendDueMails(report.context)) === 0) return;
  }
  throw new Error('mails are still due');
}

/** Waits until both replicas have the video's statistics as the primary has them. */
async function onReplicas({ slice, video_id }: { slice: number; video_id: string }): Promise<void> {
  const sql = 'SELECT SUM(excluded_repeat) AS n FROM playbill_batch.daily_statistic WHERE slice = ? AND video_id = ?';
  const [here] = await select(sql, [slice, video_id]);
  for (const number of [1, 2] as const) {
    const replica = await replicaConnection(number);
    const attempt = async () => {
      const [rows] = await replica.query(sql, [slice, video_id]);
      return Number((rows as { n: string }[])[0]?.n) === Number(here.n) ? true : undefined;
    };
    await eventually(attempt, { what: 'the replica to follow', deadlineMs: 30_000 }).finally(() => replica.end());
  }
}

async function mailsByState(): Promise<Record<string, number>> {
  const rows = await select(
    'SELECT COALESCE(failure, state) AS what, COUNT(*) AS mails FROM playbill_report.mail GROUP BY 1',
  );
  return Object.fromEntries(rows.map((row) => [row.what, Number(row.mails)]));
}

/** Mails that failed, as the alert MailsFail counts them. */
async function countedAsFailed(): Promise<number> {
  const { values } = await report.context.metrics.mails.get();
  return values.find(({ labels }) => labels.outcome === 'failed')?.value ?? 0;
}

function giveAddresses(): void {
  for (let id = 1; id <= CREATORS; id += 1) report.addresses.set(BigInt(id), `creator-${id}@playbill.example`);
}

async function freshMails(): Promise<void> {
  await forgetReports();
  (sink.mails as unknown[]).length = 0;
  giveAddresses();
}

describe('a statement', () => {
  test('is one snapshot: JSON and CSV say the same, under the same ETag, and the numbers are those of the postings', async () => {
    const json = await call('get', `/v1/info/statement/weekly?week=${WEEK}`, '7', {
      headers: { accept: 'application/json' },
    });
    const csv = await call('get', `/v1/info/statement/weekly?week=${WEEK}`, '7', { headers: { accept: 'text/csv' } });
    expect([json.status, csv.status]).toEqual([200, 200]);
    expect(json.headers.etag).toBe(`"${json.body.contentHash}"`);
    expect(csv.headers.etag).toBe(json.headers.etag);
    const records = parseCsv(csv.text);
    const videos = records.filter((record) => record.record === 'video');
    expect(videos.map((video) => [video.videoId, Number(video.total)])).toEqual(
      json.body.videos.map((video: { videoId: string; total: number }) => [video.videoId, video.total]),
    );
    const [sum] = await select('SELECT SUM(amount) AS won FROM playbill_batch.posting WHERE creator_id = 7');
    expect(json.body.totals.total).toBe(Number(sum.won));
    expect(Number(records.find((record) => record.record === 'total')?.total)).toBe(Number(sum.won));
  });

  test('as PDF has the same ETag; who has it already gets 304', async () => {
    const pdf = await call('get', '/v1/info/statement/weekly', '7', { headers: { accept: 'application/pdf' } });
    expect([pdf.status, pdf.headers['content-type']]).toEqual([200, 'application/pdf']);
    const again = await call('get', '/v1/info/statement/weekly', '7', {
      headers: { 'if-none-match': pdf.headers.etag! },
    });
    expect(again.status).toBe(304);
  });

  test.each([
    ['a week that is not over', `week=${weekOf(TODAY)}`, 422, 'WEEK_NOT_OVER'],
    ['a week that is no week', 'week=2026-W54', 422, 'INVALID'],
  ])('%s is refused', async (_what, query, status, code) => {
    const answer = await call('get', `/v1/info/statement/weekly?${query}`, '7');
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('there is none for who had nothing watched, and none in another form', async () => {
    expect((await call('get', '/v1/info/statement/weekly', '999999')).status).toBe(404);
    const html = await call('get', '/v1/info/statement/weekly', '7', { headers: { accept: 'text/html' } });
    expect([html.status, html.body.code]).toEqual([406, 'NOT_ACCEPTABLE']);
  });

  test('made twice at once is stored once', async () => {
    await freshMails();
    const answers = await Promise.all([1, 2, 3].map(async () => call('get', '/v1/info/statement/weekly', '8')));
    expect(new Set(answers.map((answer) => answer.headers.etag)).size).toBe(1);
    expect(await select('SELECT revision FROM playbill_report.statement WHERE creator_id = 8')).toHaveLength(1);
  });

  test('has a new revision only when its numbers have changed', async () => {
    await freshMails();
    await makeAll();
    await makeAll();
    const [before] = await select('SELECT COUNT(*) AS n, MAX(revision) AS last FROM playbill_report.statement');
    expect(Number(before.last)).toBe(1);
    const [video] = await select('SELECT slice, video_id, creator_id FROM playbill_batch.daily_statistic LIMIT 1');
    const change =
      'UPDATE playbill_batch.daily_statistic SET excluded_repeat = excluded_repeat + ? WHERE slice = ? AND video_id = ?';
    await db.query(change, [1, video.slice, video.video_id]);
    await onReplicas(video);
    await makeAll();
    const changed = await select('SELECT creator_id FROM playbill_report.statement WHERE revision = 2');
    expect(changed.map((row) => String(row.creator_id))).toEqual([String(video.creator_id)]);
    await db.query(change, [-1, video.slice, video.video_id]);
    await onReplicas(video);
  }, 60_000);
});

describe('who may', () => {
  test.each([
    ['get', '/v1/info/statement/weekly'],
    ['post', '/v1/info/bill/mail'],
    ['get', '/v1/info/bill/mail/some-id'],
    ['post', '/v1/ops/statements'],
  ] as const)('%s %s: nobody without a token', async (method, path) => {
    expect((await request(app())[method](path).set('dapr-api-token', APP_TOKEN)).status).toBe(401);
  });

  test('make statements: operators only, of a settled week only', async () => {
    expect((await call('post', '/v1/ops/statements', '7', { body: { week: WEEK } })).status).toBe(403);
    const operator = async (week: string) => call('post', '/v1/ops/statements', '7', { ...OPERATOR, body: { week } });
    const accepted = await operator(WEEK);
    expect([accepted.status, accepted.body.week]).toEqual([202, WEEK]);
    expect((await operator(WEEK)).body.runId).toBe(accepted.body.runId);
    const early = await operator(weekOf(TODAY));
    expect([early.status, early.body.code]).toEqual([422, 'WEEK_NOT_OVER']);
    await workOnRun(report.context);
  });

  test("see a mail: its creator only; another's is not told from none", async () => {
    await freshMails();
    const queued = await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    expect([queued.status, queued.body.state]).toEqual([202, 'queued']);
    const path = `/v1/info/bill/mail/${queued.body.mailId}`;
    const own = await call('get', path, '7');
    expect([own.status, own.body]).toEqual([200, expect.objectContaining({ state: 'queued', attempts: 0 })]);
    expect((await call('get', path, '8')).status).toBe(404);
  });
});

describe('the schedule', () => {
  const [SECOND, THIRD] = [weekOf(addDays(DAY, 7)), weekOf(addDays(DAY, 14))];
  const runs = () => select('SELECT week, requested_by, state FROM playbill_report.statement_run ORDER BY run_id');
  /** Monday after so many more weeks, 09:00. */
  const mondayMs = (weeks: number) => endOfDayMs(addDays(DAY, 7 * weeks)) + 9 * 3_600_000;

  beforeEach(freshMails);
  afterEach(async () => {
    report.nowMs = Date.now();
    await freshMails();
  });

  test('acts once a week, however often it fires', async () => {
    report.nowMs = mondayMs(0) - 1;
    await actOnSchedule(report.context);
    expect(await runs()).toEqual([]);
    report.nowMs = mondayMs(0);
    await Promise.all([actOnSchedule(report.context), actOnSchedule(report.context)]);
    await actOnSchedule(report.context);
    expect(await runs()).toMatchObject([{ week: WEEK, requested_by: 'schedule' }]);
  });

  test('makes every Monday good that was missed since the books opened, the oldest first, with one mail a creator', async () => {
    report.nowMs = mondayMs(2);
    await Promise.all([1, 2, 3].map(() => actOnSchedule(report.context)));
    expect((await runs()).map(({ week }) => week)).toEqual([WEEK, SECOND, THIRD]);
    for (let i = 0; i < 3; i += 1) await workOnRun(report.context);
    expect((await runs()).map(({ state }) => state)).toEqual(['completed', 'waiting', 'waiting']);
    await sendAll();
    await actOnSchedule(report.context);
    expect(await runs()).toHaveLength(3);
    const statements = await select('SELECT DISTINCT creator_id FROM playbill_report.statement WHERE week = ?', [WEEK]);
    expect(statements.length).toBeGreaterThan(CREATORS / 2);
    expect(sink.mails.map((mail) => mail.messageId).sort()).toEqual(
      statements.map((row) => `<statement.${row.creator_id}.${WEEK}.r1@playbill.example>`).sort(),
    );
  }, 60_000);

  test('goes on where a death left it, and goes back so many weeks only', async () => {
    report.nowMs = mondayMs(2);
    await db.query("INSERT INTO playbill_report.tick VALUES (?, '2020-01-01')", [`statements:${SECOND}`]);
    const config = { ...report.context.config, REPORT_CATCH_UP_WEEKS: 2 };
    await actOnSchedule({ ...report.context, config });
    expect((await runs()).map(({ week }) => week)).toEqual([THIRD]);
    await actOnSchedule(report.context);
    expect((await runs()).map(({ week }) => week)).toEqual([THIRD, WEEK]);
  });

  test('does not make again what a run has made for an operator', async () => {
    await makeAll();
    report.nowMs = mondayMs(0);
    await actOnSchedule(report.context);
    expect(await runs()).toMatchObject([{ week: WEEK, requested_by: 'test', state: 'completed' }]);
  });

  test('asks for nothing before the books are open', async () => {
    await db.query('UPDATE playbill_batch.books SET opened_on = NULL');
    try {
      report.nowMs = mondayMs(2);
      await actOnSchedule(report.context);
      expect(await runs()).toEqual([]);
    } finally {
      await db.query('UPDATE playbill_batch.books SET opened_on = ?', [DAY]);
    }
  });
});

describe('a mail', () => {
  test('reaches every creator with activity once, with the statement attached, however often it is asked for', async () => {
    await freshMails();
    await makeAll();
    await sendAll();
    await makeAll();
    await sendAll();
    const again = await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    expect([again.status, again.body.state]).toEqual([202, 'sent']);
    await sendAll();
    const statements = await select('SELECT creator_id FROM playbill_report.statement');
    const ids = sink.mails.map((mail) => mail.messageId);
    expect(new Set(ids)).toEqual(
      new Set(statements.map((row) => `<statement.${row.creator_id}.${WEEK}.r1@playbill.example>`)),
    );
    expect(ids).toHaveLength(statements.length);
    const [attachment] = sink.mails[0]!.attachments;
    expect([attachment?.contentType, attachment?.filename]).toEqual(['application/pdf', `playbill-${WEEK}-r1.pdf`]);
    expect(attachment?.content.subarray(0, 5).toString()).toBe('%PDF-');
  }, 120_000);

  test('to nobody is a failure that the operator sees and can replay', async () => {
    await freshMails();
    report.addresses.delete(7n);
    await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    await sendAll();
    expect(await mailsByState()).toEqual({ NO_ADDRESS: 1 });
    giveAddresses();
    const list = await call('get', '/internal/mails/failed', '1', OPERATOR);
    const mailIds = list.body.items.map((mail: { mailId: string }) => mail.mailId);
    const replay = await call('post', '/internal/mails/replay', '1', { ...OPERATOR, body: { mailIds } });
    expect(replay.body).toEqual({ ok: true, replayed: 1 });
    await sendAll();
    expect([await mailsByState(), sink.mails.length]).toEqual([{ sent: 1 }, 1]);
  }, 30_000);

  test('that is refused for good is not tried again; one that is refused for now is, up to a limit', async () => {
    await freshMails();
    sink.answer = (recipient) => (recipient.startsWith('creator-7@') ? 'unknown' : 'busy');
    for (const id of ['7', '8']) await call('post', '/v1/info/bill/mail', id, { body: { week: WEEK } });
    await sendAll();
    const rows = await select('SELECT creator_id, attempts, failure FROM playbill_report.mail ORDER BY creator_id');
    expect(rows.map((row) => [Number(row.creator_id), Number(row.attempts), row.failure])).toEqual([
      [7, 1, 'REFUSED'],
      [8, 2, 'GAVE_UP'],
    ]);
    expect(sink.mails).toHaveLength(0);
  }, 30_000);

  test('whose server takes it and then drops the connection is in doubt, and not sent again but by an operator', async () => {
    await freshMails();
    const failedBefore = await countedAsFailed();
    sink.answer = () => 'accept-and-drop';
    await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    await sendAll();
    expect(await mailsByState()).toEqual({ IN_DOUBT: 1 });
    expect(await countedAsFailed()).toBe(failedBefore + 1);
    sink.answer = () => 'accept';
    const asked = await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    expect(asked.body.state).toBe('failed');
    await sendAll();
    expect(sink.mails).toHaveLength(1);
    await replayMails(report.context.database.primary, [asked.body.mailId]);
    await sendAll();
    expect(sink.mails.map((mail) => mail.messageId)).toEqual(
      Array(2).fill(`<statement.7.${WEEK}.r1@playbill.example>`),
    );
  }, 30_000);

  test('whose sender died while it handed it over is in doubt, and an alert is told of it', async () => {
    await freshMails();
    const failedBefore = await countedAsFailed();
    await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    await db.query(
      "UPDATE playbill_report.mail SET state = 'committing', epoch = 1, claimed_by = 'gone', claimed_until = '2000-01-01'",
    );
    await sendAll();
    expect([await mailsByState(), sink.mails.length]).toEqual([{ IN_DOUBT: 1 }, 0]);
    expect(await countedAsFailed()).toBe(failedBefore + 1);
  }, 30_000);

  test('whose sender lost its claim while it was paused is not ended: the server drops it', async () => {
    await freshMails();
    await call('post', '/v1/info/bill/mail', '7', { body: { week: WEEK } });
    const sendMail = report.context.sendMail;
    let isFirst = true;
    const paused = {
      ...report.context,
      sendMail: ((mail, beforeEnd) =>
        sendMail(mail, async () => {
          if (isFirst) {
            isFirst = false;
            await db.query("UPDATE playbill_report.mail SET claimed_until = '2000-01-01'");
          }
          await beforeEnd();
        })) as typeof sendMail,
    };
    await sendDueMails(paused);
    expect(sink.mails).toHaveLength(0);
    await sendAll();
    expect(sink.mails).toHaveLength(1);
  }, 30_000);
});

describe('the report service, killed again and again while it makes and mails statements', () => {
  test('sends no mail twice, and loses none without saying so', async () => {
    await freshMails();
    await db.query("DELETE FROM playbill_user.user WHERE email LIKE 'creator-%@playbill.example'");
    for (let id = 1; id <= CREATORS; id += 1) {
      await db.query("INSERT INTO playbill_user.user VALUES (?, ?, 'x', 0, '2020-01-01')", [
        id,
        `creator-${id}@playbill.example`,
      ]);
    }
    await stack().setAutoRestart('report', true);
    await stack().waitHealthy();
    const reports = reportClientOf(installationOf(stack().endpoints, stack().secrets));
    const { runId } = await reports.makeStatements(WEEK);
    for (const afterMs of [150, 900, 400, 1_300]) {
      const sent = sink.mails.length;
      await eventually(async () => (sink.mails.length > sent || (await isDone()) ? true : undefined), {
        what: 'a mail, or the end',
        deadlineMs: 60_000,
      }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await stack().kill('report');
      await stack().waitHealthy();
    }
    await eventually(async () => ((await isDone()) ? true : undefined), {
      what: 'the end of all mails',
      deadlineMs: 120_000,
    });
    expect((await reports.readRun(runId)).state).toBe('completed');

    async function isDone(): Promise<boolean> {
      const states = await mailsByState();
      return (states.sent ?? 0) + (states.IN_DOUBT ?? 0) >= (await expected());
    }
    async function expected(): Promise<number> {
      const [row] = await select('SELECT COUNT(DISTINCT creator_id) AS n FROM playbill_batch.daily_statistic');
      return Number(row.n);
    }
    const ids = sink.mails.map((mail) => mail.messageId!);
    expect(new Set(ids).size).toBe(ids.length);
    const mails = await select('SELECT creator_id, state, failure FROM playbill_report.mail');
    expect(mails).toHaveLength(await expected());
    const delivered = new Set(ids.map((id) => /^<statement\.(\d+)\./.exec(id)?.[1]));
    for (const mail of mails) {
      if (mail.state === 'sent') expect(delivered).toContain(String(mail.creator_id));
      else expect(mail.failure).toBe('IN_DOUBT');
    }
    await db.query("DELETE FROM playbill_user.user WHERE email LIKE 'creator-%@playbill.example'");
  }, 300_000);
});
