import { readFileSync } from 'node:fs';
import type { Connection } from 'mysql2/promise';
import { addDays, type KstDay } from '#domain';
import { VIDEO_SUMS } from '../../services/batch/repositories/event-repository.js';
import type { RunView } from '../../services/ops/adapters/batch-client.js';
import type { GenerateReport } from '../../services/ops/generator/generate.js';
import { type Bench, type BenchStack, printTable, seconds } from './support.js';

const FIRST_DAY = '2026-06-01' as KstDay;
const VIDEOS = 100_000;
/** A day without events shows what a run costs beside reading and storing. */
const SIZES = [0, 1_000_000, 4_000_000, 16_000_000];

interface Measured {
  readonly events: number;
  /** Until the events were on the primary and on both replicas. */
  readonly loadedPerSecond: number;
  readonly statisticsSeconds: number;
  readonly referenceSeconds: number;
  readonly settlementSeconds: number;
  readonly shares: string;
  readonly memoryMb: number;
}

/**
 * Statistics and settlement of a day of 1, 4 and 16 million events on 100,000 videos, both batch replicas together,
 * beside one INSERT … SELECT … GROUP BY of the same day in one connection on the primary.
 */
export const daily: Bench = {
  name: 'daily',
  async run(stack, options) {
    const sizes = options.quick ? SIZES.slice(0, 2) : SIZES;
    const results: Measured[] = [];
    for (const [i, events] of sizes.entries()) {
      results.push(await measureDay(stack, { day: addDays(FIRST_DAY, i), events }));
    }
    printTable(
      ['events', 'loaded/s', 'statistics s', 'reference s', 'ratio', 'settlement s', 'share', 'replica RSS MB'],
      results.map((r) => [
        r.events.toLocaleString('en'),
        r.loadedPerSecond.toLocaleString('en'),
        r.statisticsSeconds.toFixed(2),
        r.events === 0 ? '' : r.referenceSeconds.toFixed(2),
        r.events === 0 ? '' : (r.statisticsSeconds / r.referenceSeconds).toFixed(2),
        r.settlementSeconds.toFixed(2),
        r.shares,
        r.memoryMb.toFixed(0),
      ]),
    );
    const [four, sixteen] = [results[2], results[3]];
    if (four && sixteen) {
      const growth = sixteen.statisticsSeconds / four.statisticsSeconds;
      console.log(`growth from 4M to 16M: ${growth.toFixed(2)} times`);
    }
  },
};

async function measureDay(stack: BenchStack, { day, events }: { day: KstDay; events: number }): Promise<Measured> {
  const loadedPerSecond = events === 0 ? 0 : slowest(await stack.generate({ day, events, videos: VIDEOS, seed: 1 }));
  await stack.replicasCaughtUp();
  const run = await stack.runDay(day);
  await stack.replicasCaughtUp();
  const phases = await phaseSeconds(stack.db, run);
  return {
    events,
    loadedPerSecond,
    ...phases,
    referenceSeconds: await referenceSeconds(stack.db, day),
    shares: run.replicas.map((r) => `${Math.round((100 * r.partitions) / run.partitions.total)} %`).join(' : '),
    memoryMb: Math.max(...stack.batchPids().map(peakMemoryMb)),
  };
}

function slowest({ primary, replicas }: GenerateReport): number {
  return Math.min(primary.rowsPerSecond, ...replicas.map((replica) => (replica.caughtUp ? replica.rowsPerSecond : 0)));
}

/** From the request to the commit of the checked statistics, and from there to the end of settlement. */
async function phaseSeconds(db: Connection, run: RunView) {
  const [rows] = await db.query({
    sql: `SELECT TIMESTAMPDIFF(MICROSECOND, r.created_at, s.completed_at) / 1e6,
        TIMESTAMPDIFF(MICROSECOND, s.completed_at, r.ended_at) / 1e6
      FROM playbill_batch.run r JOIN playbill_batch.statistic_day s ON s.run_id = r.run_id WHERE r.run_id = ?`,
    values: [run.runId],
    rowsAsArray: true,
  });
  const [statistics, settlement] = (rows as [string, string][])[0]!;
  return { statisticsSeconds: Number(statistics), settlementSeconds: Number(settlement) };
}

/** The plainest statement that does the same, into a table of the same shape: the better of two. */
async function referenceSeconds(db: Connection, day: KstDay): Promise<number> {
  await db.query('CREATE TABLE IF NOT EXISTS playbill_batch.bench_statistic LIKE playbill_batch.daily_statistic');
  await db.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  const times: number[] = [];
  for (let i = 0; i < 2; i++) {
    await db.query('TRUNCATE TABLE playbill_batch.bench_statistic');
    times.push(
      await seconds(() =>
        db.query(
          `INSERT INTO playbill_batch.bench_statistic (day, slice, video_id, creator_slice, creator_id, views, play_time,
             ad_views, excluded_self_view, excluded_repeat, excluded_too_short, excluded_revoked)
           SELECT '${day}', e.slice, e.video_id, v.creator_id % 64, v.creator_id, e.views, e.play_time, e.ad_views,
             e.excluded_self_view, e.excluded_repeat, e.excluded_too_short, e.excluded_revoked
           FROM (SELECT slice, video_id, ${VIDEO_SUMS} FROM playbill_watch.watch_event WHERE day = '${day}'
             GROUP BY slice, video_id) e JOIN playbill_video.video v ON v.video_id = e.video_id`,
        ),
      ),
    );
  }
  await db.query('DROP TABLE playbill_batch.bench_statistic');
  return Math.min(...times);
}

/** Peak resident memory of a process since it started. */
function peakMemoryMb(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}
