import type { Connection } from 'mysql2/promise';
import { addDays, daysBetween, type KstDay, kstDayOf, REASON } from '#domain';
import { reconcile, reconcileBooks } from '../../services/batch/usecases/reconcile.js';
import { requestRun } from '../../services/batch/usecases/request-run.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { loadOpening } from '../../services/ops/opening/load-opening.js';
import {
  type ExpectedPosting,
  type Step,
  scenario,
  type VideoStatistics,
} from '../unit/domain/support/scenario-fixture.js';
import { callBatch, forgetEverything, runDay } from './support/batch.js';
import { insertEvent, insertVideo, revokeById } from './support/events.js';
import { InProcessBatch } from './support/in-process.js';
import { adminConnection, stack } from './support/stack.js';

/** Letters and names of the scenario stand for ids of one's own. */
const idOf = (letter: string) => letter.charCodeAt(0) - 64;
const letterOf = (id: unknown) => String.fromCharCode(64 + Number(id));
const userOf = (name: string) => (name.startsWith('c') ? 100 : 200) + Number(name.slice(1));
const viewerOf = (text: string) => (text.startsWith('u:') ? `u:${userOf(text.slice(2))}` : text);

const FIRST_DAY = '2026-03-01' as KstDay;
const dayOfSend = (step: Extract<Step, { do: 'send' }>) => step.answer.day;
const LAST_DAY = scenario.steps.reduce((last, s) => (s.do === 'send' && dayOfSend(s) > last ? dayOfSend(s) : last), '');

let db: Connection;

beforeAll(async () => {
  db = await adminConnection();
});
afterAll(() => db.end());

/** Registers the scenario's videos and brings their lifetimes in by a file. */
async function openBooks(): Promise<void> {
  await forgetEverything();
  const lines = ['videoId,views,adViews'];
  for (const [letter, video] of Object.entries(scenario.videos)) {
    const { lengthSeconds, openingViews, openingAds } = video;
    await insertVideo(db, { videoId: idOf(letter), creatorId: userOf(video.creatorId), lengthSeconds });
    if (openingViews + openingAds > 0) lines.push(`${idOf(letter)},${openingViews},${openingAds}`);
  }
  const { endpoints, secrets } = stack();
  const database = await openOperatorDatabase(installationOf(endpoints, secrets));
  try {
    const report = await loadOpening(database, { text: `${lines.join('\n')}\n`, actor: 'test' });
    expect(report).toMatchObject({ videos: 3, unchanged: false });
  } finally {
    await database.close();
  }
}

interface Stage {
  /** Days that the scenario is moved by. */
  readonly shift: number;
  readonly today: () => KstDay;
  /** Runs a day, moved already. */
  readonly run: (day: KstDay, today: KstDay) => Promise<void>;
}

/** Plays every step, and compares each run's statistics and new postings with what must result. */
async function play({ shift, today, run }: Stage): Promise<number> {
  const moved = (day: string) => addDays(day as KstDay, shift);
  let compared = 0;
  for (const step of scenario.steps) {
    if (step.do === 'send' && !step.answer.duplicate) await send(step, { shift, today: today() });
    if (step.do === 'revoke') await revokeById(db, step.eventIds);
    if (step.do !== 'run') continue;
    const day = moved(step.day);
    const before = await lastEntries();
    await run(day, moved(step.today));
    expect(await statisticsOf(day)).toEqual(step.statistics);
    const expected = step.newPostings.map((posting) => ({
      ...posting,
      day: moved(posting.day),
      billedOn: posting.adjustment ? today() : moved(posting.billedOn),
    }));
    expect(await postingsAfter(before)).toEqual(expected);
    compared += 1;
  }
  return compared;
}

async function send(step: Extract<Step, { do: 'send' }>, { shift, today }: { shift: number; today: KstDay }) {
  const { event, answer } = step;
  await insertEvent(db, {
    eventId: event.eventId,
    videoId: idOf(event.videoId),
    viewer: viewerOf(event.viewer),
    watchedAtMs: Date.parse(event.watchedAt) + shift * 86_400_000,
    playedSeconds: event.playedTime,
    adViews: event.adViewCount,
    reason: REASON[answer.reason],
    today,
  });
}

async function statisticsOf(day: string): Promise<Record<string, VideoStatistics>> {
  const [rows] = await db.query({ sql: 'SELECT * FROM playbill_batch.daily_statistic WHERE day = ?', values: [day] });
  return Object.fromEntries(
    (rows as Record<string, unknown>[]).map((row) => {
      const excluded = Object.entries({
        SELF_VIEW: Number(row.excluded_self_view),
        REPEAT: Number(row.excluded_repeat),
        TOO_SHORT: Number(row.excluded_too_short),
        REVOKED: Number(row.excluded_revoked),
      }).filter(([, count]) => count > 0);
      const figures = {
        views: Number(row.views),
        playTimeSeconds: Number(row.play_time),
        adViews: Number(row.ad_views),
        excluded: Object.fromEntries(excluded),
      };
      return [letterOf(row.video_id), figures];
    }),
  );
}

async function lastEntries(): Promise<Map<string, number>> {
  const [rows] = await db.query('SELECT video_id, kind, MAX(seq) AS seq FROM playbill_batch.posting GROUP BY 1, 2');
  return new Map((rows as Record<string, unknown>[]).map((row) => [`${row.video_id}/${row.kind}`, Number(row.seq)]));
}

async function postingsAfter(before: Map<string, number>): Promise<ExpectedPosting[]> {
  const [rows] = await db.query(
    `SELECT p.video_id, p.kind, p.seq, DATE_FORMAT(p.event_day, '%Y-%m-%d') AS day,
       DATE_FORMAT(p.billed_on, '%Y-%m-%d') AS billed_on, p.from_position, p.to_position, p.amount,
       a.seq IS NOT NULL AS adjustment
     FROM playbill_batch.posting p LEFT JOIN playbill_batch.adjustment a ON a.billed_on = p.billed_on
       AND a.creator_slice = p.creator_slice AND a.creator_id = p.creator_id AND a.event_day = p.event_day
       AND a.video_id = p.video_id AND a.kind = p.kind AND a.seq = p.seq
     ORDER BY p.video_id, p.kind, p.seq`,
  );
  return (rows as Record<string, unknown>[])
    .filter((row) => Number(row.seq) > (before.get(`${row.video_id}/${row.kind}`) ?? 0))
    .map((row) => ({
      videoId: letterOf(row.video_id),
      kind: String(row.kind) as ExpectedPosting['kind'],
      day: String(row.day),
      billedOn: String(row.billed_on),
      adjustment: Number(row.adjustment) === 1,
      from: String(row.from_position),
      to: String(row.to_position),
      amount: String(row.amount),
    }));
}

async function expectTheEnd(): Promise<void> {
  const [rows] = await db.query('SELECT video_id, views, ads FROM playbill_batch.position');
  const ends = (rows as Record<string, unknown>[]).flatMap((row) => [
    [`${letterOf(row.video_id)}/view`, String(row.views)],
    [`${letterOf(row.video_id)}/ad`, String(row.ads)],
  ]);
  expect(Object.fromEntries(ends)).toEqual(scenario.positions);
  const [[total]] = (await db.query('SELECT SUM(amount) AS total FROM playbill_batch.ledger_entry')) as never as [
    [{ total: string }],
  ];
  expect(String(total.total)).toBe(scenario.ledgerTotal);
  const [causes] = await db.query('SELECT DISTINCT cause FROM playbill_batch.adjustment ORDER BY cause');
  expect((causes as { cause: string }[]).map((row) => row.cause)).toEqual(['LATE', 'REVOKED']);
}

test('the whole history on its own days gives every statistic, posting, position and won that it must', async () => {
  await openBooks();
  const batch = await InProcessBatch.open(FIRST_DAY);
  try {
    const compared = await play({
      shift: 0,
      today: () => batch.today,
      async run(day, today) {
        batch.today = today;
        await requestRun(batch.context, { from: day, to: day, job: 'daily', requestedBy: 'test' });
        await batch.drive();
      },
    });
    expect(compared).toBe(13);
    await expectTheEnd();
    for (let day = FIRST_DAY; day <= LAST_DAY; day = addDays(day, 1)) {
      expect(await reconcile(batch.context, day)).toMatchObject({ settled: true, differences: [] });
    }
    expect(await reconcileBooks(batch.context)).toMatchObject({ openedOn: FIRST_DAY, differences: [] });
  } finally {
    await batch.close();
  }
}, 120_000);

test('moved to yesterday and played through both replicas and their sidecars it gives the same', async () => {
  const today = kstDayOf(Date.now());
  await openBooks();
  const shift = daysBetween(LAST_DAY as KstDay, today) - 1;
  const compared = await play({
    shift,
    today: () => kstDayOf(Date.now()),
    run: async (day) => expect((await runDay(day)).state).toBe('completed'),
  });
  expect(compared).toBe(13);
  await expectTheEnd();
  for (let day = addDays(FIRST_DAY, shift); day < today; day = addDays(day, 1)) {
    const { status, body } = await callBatch(`v1/ops/reconciliation?date=${day}`);
    expect({ status, differences: body.differences }).toEqual({ status: 200, differences: [] });
  }
}, 180_000);
