import * as fc from 'fast-check';
import type { Connection } from 'mysql2/promise';
import { connectDatabase, type Database } from '#lib/database';
import { credentialsOf } from '../../deploy/local/stack/index.js';
import { forgetEverything } from './support/batch.js';
import { type Act, type Disturbance, type History, HistoryPlayer, type Send, START, TERMS } from './support/history.js';
import { type Death, InProcessBatch } from './support/in-process.js';
import { adminConnection, stack } from './support/stack.js';

/** `HISTORIES=2000 HISTORY_SEED=7 npm test -- tests/stack/money-histories.test.ts` looks further. */
const HISTORIES = Number(process.env.HISTORIES ?? 200);
const SEED = Number(process.env.HISTORY_SEED ?? 20_261_125);

const death: fc.Arbitrary<Death> = fc.oneof(
  fc.record({ statement: fc.integer({ min: 1, max: 60 }), isAfter: fc.boolean(), inSettlement: fc.constant(true) }),
  fc.record({ statement: fc.integer({ min: 1, max: 40 }), isAfter: fc.boolean(), inSettlement: fc.constant(false) }),
  fc.record({ statement: fc.integer({ min: 1, max: 160 }), isAfter: fc.boolean(), inSettlement: fc.constant(false) }),
);
const daysAgo = fc.integer({ min: 0, max: 4 });

const send: fc.Arbitrary<Send> = fc.record({
  act: fc.constant('send' as const),
  daysAgo,
  video: fc.integer({ min: 0, max: 3 }),
  views: fc.integer({ min: 1, max: 4 }),
  adViews: fc.integer({ min: 0, max: 6 }),
  excluded: fc.constantFrom(false, false, false, true),
});

const by: fc.Arbitrary<Disturbance> = fc.record({
  deaths: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(death, { minLength: 1, maxLength: 3 }) },
  ),
  meanwhile: fc.option(
    fc.record({ statement: fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 120 })), send }),
    { freq: 2 },
  ),
});

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: send },
  { weight: 4, arbitrary: fc.constant({ act: 'day passes' as const }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('schedule' as const), by }) },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('run' as const),
      daysAgo,
      job: fc.constantFrom('daily' as const, 'daily' as const, 'statistics' as const, 'settlement' as const),
      by,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('revoke' as const),
      pick: fc.nat({ max: 50 }),
      count: fc.integer({ min: 1, max: 5 }),
      by,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('tariff' as const),
      daysAhead: fc.integer({ min: -3, max: 3 }),
      terms: fc.nat({ max: TERMS.length - 1 }),
      by,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('hold' as const, 'release' as const), daysAgo, by }) },
);

/** Just before a price changes, or at the beginning. */
const opening = fc.constantFrom<readonly [number, number]>(
  [0, 0],
  [99_995, 0],
  [100_000, 99_997],
  [999_998, 11],
  [499_999, 1_000_001],
);

const history: fc.Arbitrary<History> = fc.record({
  openings: fc.array(opening, { minLength: 4, maxLength: 4 }),
  acts: fc.array(act, { minLength: 3, maxLength: 24 }),
});

let db: Connection;
let operator: Database;
let batch: InProcessBatch;

beforeAll(async () => {
  db = await adminConnection();
  await forgetEverything();
  // No server dies here, only processes: what a commit costs need not be paid thousands of times.
  await db.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0, GLOBAL sync_binlog = 0');
  const { endpoints, secrets } = stack();
  const credentials = credentialsOf(secrets, 'admin');
  operator = await connectDatabase({ primary: endpoints.primary, replicas: [], credentials, poolSize: 1 });
  batch = await InProcessBatch.open(START);
}, 60_000);

afterAll(async () => {
  await db.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1, GLOBAL sync_binlog = 1');
  await forgetEverything();
  await batch.close();
  await operator.close();
  await db.end();
}, 60_000);

test(
  `the books of ${HISTORIES} random histories are those of the rules, proven, whatever died on the way`,
  async () => {
    const property = fc.asyncProperty(history, async (value) => {
      await new HistoryPlayer({ db, operator: operator.primary, batch }, value).play();
    });
    await fc.assert(property, { numRuns: HISTORIES, seed: SEED, endOnFailure: false });
  },
  20 * 60_000,
);

test(
  'an event that arrives while a run is planned is not forgotten',
  async () => {
    const send = { act: 'send' as const, daysAgo: 1, views: 1, adViews: 1, excluded: false };
    const run = { act: 'run' as const, daysAgo: 1, job: 'daily' as const };
    const undisturbed = { deaths: [], meanwhile: null };
    // Each statement of the second run's planning is one that the event may come before.
    for (let statement = 1; statement <= 24; statement++) {
      const acts: Act[] = [
        { ...send, daysAgo: 0, video: 0 },
        { act: 'day passes' },
        { ...run, by: undisturbed },
        { ...send, video: 1 },
        { ...run, by: { deaths: [], meanwhile: { statement, send: { ...send, video: 2 } } } },
      ];
      await new HistoryPlayer({ db, operator: operator.primary, batch }, { openings: [], acts }).play();
    }
  },
  5 * 60_000,
);
