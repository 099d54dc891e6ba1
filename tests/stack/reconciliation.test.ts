import type { Connection } from 'mysql2/promise';
import { ACCOUNTS } from '#lib/database';
import { type DifferenceKind, type Reconciliation } from '../../services/batch/domain/reconciliation.js';
import { reconcile, reconcileBooks } from '../../services/batch/usecases/reconcile.js';
import { requestRun } from '../../services/batch/usecases/request-run.js';
import { forgetEverything } from './support/batch.js';
import { insertEvent, insertVideo, revokeById } from './support/events.js';
import { InProcessBatch } from './support/in-process.js';
import { adminConnection, databaseConnection, generate } from './support/stack.js';

const DAY = '2026-10-01';
const NEXT = '2026-10-02';
const LAST = '2026-10-03';

let db: Connection;
let batch: InProcessBatch;

/** Videos of the books that are tampered with: 1 and 2 of creator 1, 3 of creator 2. */
const OWNERS = new Map([
  [1, 1],
  [2, 1],
  [3, 2],
]);
let eventNumber = 0;
const eventIdOf = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

async function watch(videoId: number, day: string, options: { adViews?: number; reason?: number } = {}) {
  eventNumber += 1;
  await insertEvent(db, {
    eventId: eventIdOf(eventNumber),
    videoId,
    viewer: `u:${1000 + eventNumber}`,
    watchedAtMs: Date.parse(`${day}T03:00:00Z`) + eventNumber,
    playedSeconds: 60,
    adViews: options.adViews ?? 2,
    reason: options.reason ?? 0,
    today: batch.today,
  });
  return eventIdOf(eventNumber);
}

async function settle(day: string): Promise<void> {
  await requestRun(batch.context, { from: day as never, to: day as never, job: 'daily', requestedBy: 'test' });
  await batch.drive();
}

/** Three settled days of three videos, with a late and a revoked event: every kind of row that money has. */
async function makeBooks(): Promise<void> {
  await forgetEverything();
  for (const [videoId, creatorId] of OWNERS) await insertVideo(db, { videoId, creatorId, lengthSeconds: 3_600 });
  let revoked = '';
  for (const day of [DAY, NEXT, LAST]) {
    for (const videoId of OWNERS.keys()) {
      for (let i = 0; i < 3; i++) revoked = await watch(videoId, day);
      await watch(videoId, day, { reason: 1 });
    }
    await settle(day);
  }
  await watch(1, DAY);
  await settle(DAY);
  expect(await revokeById(db, [revoked])).toBe(1);
  await settle(LAST);
}

beforeAll(async () => {
  db = await adminConnection();
  batch = await InProcessBatch.open('2026-10-10');
  await makeBooks();
}, 60_000);

afterAll(async () => {
  await batch.close();
  await db.end();
}, 60_000);

const kindsOf = ({ differences }: Pick<Reconciliation, 'differences'>) => [
  ...new Set(differences.map(({ kind }) => kind)),
];

/** Tampers with the books as a server administrator could, and puts everything back. */
async function planted<T>(statements: readonly string[], look: () => Promise<T>): Promise<T> {
  const tables = new Set(statements.map((sql) => /playbill_\w+\.\w+/.exec(sql)![0]));
  for (const table of tables)
    await db.query(`CREATE TEMPORARY TABLE kept_${table.split('.')[1]} SELECT * FROM ${table}`);
  try {
    for (const statement of statements) {
      const [result] = await db.query(statement);
      expect((result as { affectedRows: number }).affectedRows).toBeGreaterThan(0);
    }
    return await look();
  } finally {
    for (const table of tables) {
      const kept = `kept_${table.split('.')[1]}`;
      await db.query(`DELETE FROM ${table}`);
      await db.query(`INSERT INTO ${table} SELECT * FROM ${kept}`);
      await db.query(`DROP TEMPORARY TABLE ${kept}`);
    }
  }
}

beforeAll(() => db.query('USE playbill_batch'));

const EVENT = 'playbill_watch.watch_event';
const STATISTIC = 'playbill_batch.daily_statistic';
const POSTING = 'playbill_batch.posting';
const ENTRY = 'playbill_batch.ledger_entry';
const POSITION = 'playbill_batch.position';
const FIRST = `event_day = '${DAY}' AND video_id = 2 AND kind = 'view' AND seq = 1`;
const MIDDLE = `event_day = '${NEXT}' AND video_id = 2 AND kind = 'view'`;

test('books that nobody touched are proven, each day and as a whole', async () => {
  for (const day of [DAY, NEXT, LAST]) {
    expect(await reconcile(batch.context, day as never)).toMatchObject({ settled: true, differences: [] });
  }
  const books = await reconcileBooks(batch.context);
  expect(books).toMatchObject({ openedOn: DAY, lastSettledDay: LAST, days: [DAY, NEXT, LAST], differences: [] });
  expect(books.postings.amount).toBe(books.ledger.amount);
});

/** What is planted, on which day it is looked for, and what the day's reconciliation must name. */
const ERRORS_OF_A_DAY: [string, string[], DifferenceKind[]][] = [
  [
    'a lost event',
    [`DELETE FROM ${EVENT} WHERE day = '${NEXT}' AND video_id = 2 AND reason = 0 LIMIT 1`],
    ['events/statistics'],
  ],
  [
    'a doubled event',
    [
      `INSERT INTO ${EVENT} SELECT day, slice, video_id, UNHEX(REPEAT('f', 32)), viewer, watched_at, played_time,
         last_watched, ad_view_count, reason FROM ${EVENT} WHERE day = '${NEXT}' AND video_id = 2 AND reason = 0 LIMIT 1`,
    ],
    ['events/statistics'],
  ],
  [
    'an event that counts though it was excluded',
    [`UPDATE ${EVENT} SET reason = 0 WHERE day = '${NEXT}' AND video_id = 2`],
    ['events/statistics'],
  ],
  [
    'a changed play time',
    [`UPDATE ${STATISTIC} SET play_time = play_time + 1 WHERE day = '${NEXT}' AND video_id = 2`],
    ['events/statistics'],
  ],
  [
    'a changed reason of exclusion',
    [`UPDATE ${STATISTIC} SET excluded_self_view = 0, excluded_repeat = 1 WHERE day = '${NEXT}' AND video_id = 2`],
    ['events/statistics'],
  ],
  [
    'a lost statistic',
    [`DELETE FROM ${STATISTIC} WHERE day = '${NEXT}' AND video_id = 2`],
    ['events/statistics', 'statistics/day', 'statistics/postings'],
  ],
  [
    'a statistic of a video without events',
    [
      `INSERT INTO ${STATISTIC} SELECT day, slice, 66, creator_slice, creator_id, 0, 0, 0, 0, 0, 0, 0 FROM ${STATISTIC}
       WHERE day = '${NEXT}' AND video_id = 2`,
    ],
    ['events/statistics'],
  ],
  [
    'a day whose statistics were never completed',
    [`DELETE FROM playbill_batch.statistic_day WHERE day = '${NEXT}'`],
    ['statistics/day'],
  ],
  ['a day that is not settled', [`DELETE FROM playbill_batch.settlement_day WHERE day = '${NEXT}'`], ['day/missing']],
  ['a lost posting', [`DELETE FROM ${POSTING} WHERE ${MIDDLE}`], ['statistics/postings']],
  [
    'a doubled posting',
    [
      `INSERT INTO ${POSTING} SELECT event_day, creator_slice, creator_id, video_id, kind, seq + 100, billed_on,
       from_position, to_position, amount, tariff_version, run_number, ledger_seq, previous_day FROM ${POSTING} WHERE ${MIDDLE}`,
    ],
    ['statistics/postings', 'position/chain', 'position/end', 'postings/ledger'],
  ],
  [
    'a changed amount',
    [`UPDATE ${POSTING} SET amount = amount + 1 WHERE ${MIDDLE}`],
    ['posting/amount', 'postings/ledger'],
  ],
  [
    'an amount that was changed in the ledger as well',
    [
      `UPDATE ${POSTING} SET amount = amount + 1 WHERE ${MIDDLE}`,
      `UPDATE ${ENTRY} SET amount = amount + 1 WHERE ${MIDDLE.replace(' AND seq = 1', '')}`,
    ],
    ['posting/amount', 'ledger/chain'],
  ],
  [
    'an amount that is changed in the ledger only',
    [`UPDATE ${ENTRY} SET amount = amount + 1 WHERE ${MIDDLE}`],
    ['postings/ledger'],
  ],
  ["another tariff than the day's", [`UPDATE ${POSTING} SET tariff_version = 7 WHERE ${MIDDLE}`], ['posting/tariff']],
  [
    'a posting for another creator',
    [`UPDATE ${POSTING} SET creator_id = 65 WHERE ${MIDDLE}`],
    ['position/chain', 'posting/creator', 'postings/ledger', 'ledger/head'],
  ],
  [
    'a first posting that is billed on another day',
    [`UPDATE ${POSTING} SET billed_on = '2026-10-09' WHERE ${MIDDLE}`],
    ['posting/billing'],
  ],
  [
    'a broken position chain',
    [`UPDATE ${POSTING} SET from_position = from_position + 5, to_position = to_position + 5 WHERE ${MIDDLE}`],
    ['position/chain'],
  ],
  [
    'a chain that does not start at the opening position',
    [`UPDATE ${POSITION} SET opening_views = 5 WHERE video_id = 2`],
    [],
  ],
  ['a lost ledger entry', [`DELETE FROM ${ENTRY} WHERE ${MIDDLE}`], ['postings/ledger']],
  ['a broken hash', [`UPDATE ${ENTRY} SET hash = UNHEX(REPEAT('0', 64)) WHERE ${MIDDLE}`], ['ledger/chain']],
];

test.each(ERRORS_OF_A_DAY)('%s is found and named with its keys', async (what, statements, kinds) => {
  const day = what.includes('opening') ? DAY : NEXT;
  const found = await planted(statements, () => reconcile(batch.context, day as never));
  const expected = kinds.length > 0 ? kinds : (['position/chain'] as DifferenceKind[]);
  expect(kindsOf(found)).toEqual(expect.arrayContaining(expected));
  for (const { keys, detail } of found.differences) {
    expect(keys.day ?? keys.creatorId).toBeDefined();
    expect(detail).not.toMatch(/undefined|NaN|\[object/);
  }
  const videos = new Set(found.differences.map(({ keys }) => keys.videoId ?? '2'));
  expect([...videos].filter((videoId) => videoId !== '2' && videoId !== '66')).toEqual([]);
  expect((await reconcile(batch.context, day as never)).differences).toEqual([]);
});

test.each<[string, string, DifferenceKind]>([
  ['a position that is too far', `UPDATE ${POSITION} SET views = views + 1 WHERE video_id = 2`, 'position/end'],
  ['a lost position', `DELETE FROM ${POSITION} WHERE video_id = 2`, 'position/end'],
  ['an account that ends too early', 'UPDATE playbill_batch.ledger_account SET last_seq = last_seq - 1', 'ledger/head'],
  ['a lost account', 'DELETE FROM playbill_batch.ledger_account WHERE creator_id = 1', 'ledger/head'],
  [
    'an entry that no posting stands for',
    `INSERT INTO ${ENTRY} SELECT creator_id, seq + 1, event_day, video_id, kind, posting_seq, 1000000, run_number, hash
       FROM ${ENTRY} WHERE creator_id = 1 ORDER BY seq DESC LIMIT 1`,
    'ledger/head',
  ],
])('%s is found on the last day', async (_what, statement, kind) => {
  const found = await planted([statement], () => reconcile(batch.context, LAST as never));
  expect(kindsOf(found)).toContain(kind);
});

test.each<[string, string[], DifferenceKind[]]>([
  ['a missing day', [`DELETE FROM playbill_batch.settlement_day WHERE day = '${NEXT}'`], ['day/missing']],
  ['a position that is too far', [`UPDATE ${POSITION} SET ads = ads + 1 WHERE video_id = 3`], ['position/end']],
  ['a lost position', [`DELETE FROM ${POSITION} WHERE video_id = 3`], ['position/end']],
  ['a lost posting', [`DELETE FROM ${POSTING} WHERE ${FIRST}`], ['position/end', 'postings/ledger']],
  [
    'a lost entry',
    [`DELETE FROM ${ENTRY} WHERE ${FIRST.replace('seq', 'posting_seq')}`],
    ['ledger/chain', 'ledger/head', 'postings/ledger'],
  ],
  [
    'an entry that no posting stands for',
    [
      `INSERT INTO ${ENTRY} SELECT creator_id, seq + 1, event_day, video_id, kind, 99, 5, run_number, hash FROM ${ENTRY}
       WHERE creator_id = 2 ORDER BY seq DESC LIMIT 1`,
    ],
    ['ledger/chain', 'ledger/head', 'postings/ledger'],
  ],
  [
    'the last entry cut off with its account',
    [
      `DELETE FROM ${ENTRY} WHERE creator_id = 2 ORDER BY seq DESC LIMIT 1`,
      `UPDATE playbill_batch.ledger_account SET last_seq = last_seq - 1 WHERE creator_id = 2`,
    ],
    ['postings/ledger'],
  ],
  [
    'a checkpoint that is not the sum',
    ['INSERT INTO playbill_batch.ledger_checkpoint VALUES (1, 2, 123456)'],
    ['ledger/balance'],
  ],
  ['a lost adjustment', ['DELETE FROM playbill_batch.adjustment LIMIT 1'], []],
  [
    'an adjustment without a posting',
    [
      `INSERT INTO playbill_batch.adjustment SELECT billed_on, creator_slice, creator_id, event_day, video_id, kind, 99, cause FROM playbill_batch.adjustment LIMIT 1`,
    ],
    ['posting/billing'],
  ],
])('%s is found in the books', async (_what, statements, kinds) => {
  const found = await planted(statements, async () => {
    const books = await reconcileBooks(batch.context);
    const days = await Promise.all(books.days.map((day) => reconcile(batch.context, day)));
    return { books, differences: [...books.differences, ...days.flatMap((day) => day.differences)] };
  });
  expect(kindsOf(found.books)).toEqual(expect.arrayContaining(kinds));
  expect(kindsOf(found)).toEqual(expect.arrayContaining(kinds.length > 0 ? kinds : ['posting/billing']));
});

test('a late event that waits for its run is named as such', async () => {
  const eventId = await watch(2, NEXT);
  try {
    const { differences } = await reconcile(batch.context, NEXT as never);
    expect(differences).toEqual([
      expect.objectContaining({ kind: 'events/statistics', detail: expect.stringContaining('waits for the next run') }),
    ]);
  } finally {
    await db.query(`DELETE FROM ${EVENT} WHERE event_id = UNHEX(?)`, [eventId.replaceAll('-', '')]);
    await db.query('DELETE FROM playbill_watch.dirty_slice');
  }
});

describe('closed books cannot be changed by', () => {
  const TABLES = ['posting', 'adjustment', 'ledger_entry', 'ledger_checkpoint', 'audit_log', 'tariff', 'tariff_tier'];
  test.each(Object.keys(ACCOUNTS).map((account) => [account]))('the database account of %s', async (account) => {
    const connection = await databaseConnection(account);
    try {
      for (const table of TABLES.map((name) => `playbill_batch.${name}`)) {
        const [[column]] = (await db.query(`SHOW COLUMNS FROM ${table}`)) as never as [[{ Field: string }]];
        for (const statement of [
          `UPDATE ${table} SET ${column.Field} = ${column.Field}`,
          `DELETE FROM ${table}`,
          `TRUNCATE TABLE ${table}`,
          `ALTER TABLE ${table} ADD COLUMN extra INT`,
          `DROP TABLE ${table}`,
          `REPLACE INTO ${table} SELECT * FROM ${table}`,
        ]) {
          await expect(connection.query(statement)).rejects.toMatchObject({
            code: expect.stringMatching(/ACCESS_?DENIED/),
          });
        }
      }
    } finally {
      await connection.end();
    }
  });
});

test('a day of many videos is proven', async () => {
  await forgetEverything();
  await generate({ day: DAY, events: 20_000, videos: 500, seed: 3 });
  await settle(DAY);
  expect(await reconcile(batch.context, DAY as never)).toMatchObject({
    events: 20_000,
    settled: true,
    differences: [],
  });
  expect((await reconcileBooks(batch.context)).differences).toEqual([]);
}, 60_000);
