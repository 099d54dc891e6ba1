import type { Pool } from 'mysql2/promise';
import { digests, forgetEverything, forgetResults, requestDay, waitForRun } from './support/batch.js';
import { adminPool, eventually, generate, stack } from './support/stack.js';

const DAY = '2026-11-01';
const EVENTS = 150_000;
const VIDEOS = 8_000;

let db: Pool;
let undisturbed: Record<string, string>;

beforeAll(async () => {
  await forgetEverything();
  await generate({ day: DAY, events: EVENTS, videos: VIDEOS, seed: 7 });
  db = adminPool();
  const runId = await requestDay(DAY);
  expect((await waitForRun(runId)).state).toBe('completed');
  undisturbed = await digests(db);
}, 180_000);

afterAll(async () => {
  await db.end();
});

beforeEach(forgetResults);
afterEach(() => stack().waitHealthy());

/** Waits until the run has finished this share of its slices, so that a fault strikes at the same place each time. */
async function whenDone(runId: string, phase: 'statistics' | 'settlement', slices: number): Promise<void> {
  await eventually(
    async () => {
      const [rows] = await db.query({
        sql: `SELECT COUNT(*) FROM playbill_batch.run_slice WHERE run_id = ? AND phase = ? AND state = 'done'`,
        values: [runId, phase],
        rowsAsArray: true,
      });
      return Number((rows as number[][])[0]![0]) >= slices || undefined;
    },
    { what: `${slices} slices of ${phase}`, deadlineMs: 60_000, intervalMs: 5 },
  );
}

async function expectUndisturbed(runId: string): Promise<void> {
  expect(await waitForRun(runId)).toMatchObject({ state: 'completed', rowsRead: EVENTS });
  expect(await digests(db)).toEqual(undisturbed);
}

describe('a run goes on by itself, to the same tables, when', () => {
  test.each([
    ['the app of replica 1 dies early in statistics', ['batch-1'], 'statistics', 3],
    ['the sidecar of replica 2 dies in mid-statistics', ['batch-2-daprd'], 'statistics', 30],
    ['app and sidecar of replica 1 die in mid-settlement', ['batch-1', 'batch-1-daprd'], 'settlement', 20],
    ['app and sidecar of replica 2 die late in statistics', ['batch-2', 'batch-2-daprd'], 'statistics', 55],
    ['both replicas die whole', ['batch-1', 'batch-1-daprd', 'batch-2', 'batch-2-daprd'], 'settlement', 5],
    ['a database replica dies', ['mariadb-replica-1'], 'statistics', 10],
    ['the primary dies and restarts', ['mariadb-primary'], 'settlement', 10],
    ['the placement service dies', ['placement'], 'statistics', 20],
  ] as const)(
    '%s',
    async (_what, victims, phase, slices) => {
      const runId = await requestDay(DAY);
      await whenDone(runId, phase, slices);
      await Promise.all(victims.map((victim) => stack().kill(victim, 'SIGKILL')));
      await expectUndisturbed(runId);
    },
    120_000,
  );
});

describe('a worker that was paused past its lease', () => {
  test('cannot commit when it wakes: its slices belong to another', async () => {
    const runId = await pauseWithinASlice();
    try {
      await eventually(async () => ((await takenOver(runId)) > 0 ? true : undefined), {
        what: 'a slice of the paused worker to be taken over',
        deadlineMs: 60_000,
      });
    } finally {
      await stack().resume('batch-1');
    }
    await expectUndisturbed(runId);
  }, 180_000);

  /** Pauses replica 1 while it holds a slice. Between two slices there is nothing to take over: then another run. */
  async function pauseWithinASlice(): Promise<string> {
    for (let attempt = 0; attempt < 15; attempt++) {
      const runId = await requestDay(DAY);
      await whenDone(runId, 'statistics', 4 + attempt);
      await stack().pause('batch-1');
      await eventually(async () => (await silentMs()) > 1_500 || undefined, {
        what: 'what it had sent to be done',
        deadlineMs: 20_000,
      });
      if ((await heldSlices(runId)) > 0) return runId;
      await stack().resume('batch-1');
      await waitForRun(runId);
      await forgetResults();
    }
    throw new Error('replica 1 was never paused within a slice');
  }

  /** How long replica 1 has given no sign of life. */
  async function silentMs(): Promise<number> {
    const [rows] = await db.query({
      sql: `SELECT TIMESTAMPDIFF(MICROSECOND, heartbeat_at, UTC_TIMESTAMP(6)) / 1000 FROM playbill_batch.worker
        WHERE name = 'batch-1'`,
      rowsAsArray: true,
    });
    return Number((rows as number[][])[0]![0]);
  }

  async function heldSlices(runId: string): Promise<number> {
    const [rows] = await db.query({
      sql: `SELECT COUNT(*) FROM playbill_batch.run_slice WHERE run_id = ? AND owner = 'batch-1' AND state = 'running'`,
      values: [runId],
      rowsAsArray: true,
    });
    return Number((rows as number[][])[0]![0]);
  }

  /** Slices that were dealt more than once. */
  async function takenOver(runId: string): Promise<number> {
    const [rows] = await db.query({
      sql: 'SELECT COUNT(*) FROM playbill_batch.run_slice WHERE run_id = ? AND epoch > 1',
      values: [runId],
      rowsAsArray: true,
    });
    return Number((rows as number[][])[0]![0]);
  }
});
