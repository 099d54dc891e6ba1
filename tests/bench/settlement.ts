import { readFileSync } from 'node:fs';
import type { KstDay } from '#domain';
import { batchClientOf } from '../../services/ops/adapters/batch-client.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { runDay, runSeconds } from '../../services/ops/run-view.js';
import { cpuByProcess, printCpu } from './processor-time.js';
import { type Bench, type BenchStack, printTable } from './support.js';

const SIZES = [100_000, 1_000_000];
const CREATOR_PER_VIDEOS = 10;

/**
 * Settlement of a day of 100,000 and of 1,000,000 active videos, each with views and ad views, by both batch replicas:
 * two postings and two ledger entries a video. The statistics are made by one statement, as if they had been counted.
 */
export const settlement: Bench = {
  name: 'settlement',
  async run(stack, { quick }) {
    const rows: string[][] = [];
    for (const [i, videos] of (quick ? SIZES.slice(0, 1) : SIZES).entries()) {
      rows.push(await measure(stack, { day: `2026-06-0${i + 1}` as KstDay, videos }));
    }
    printTable(['active videos', 'postings', 'seconds', 'postings/s', 'share', 'replica RSS MB', 'differences'], rows);
  },
};

async function measure(stack: BenchStack, { day, videos }: { day: KstDay; videos: number }): Promise<string[]> {
  await makeStatistics(stack, { day, videos });
  await stack.replicasCaughtUp();
  const batch = batchClientOf(installationOf(stack.stack.endpoints, stack.stack.secrets));
  const before = cpuByProcess(stack);
  const { run } = await runDay(batch, { date: day, job: 'settlement', silent: false });
  await stack.replicasCaughtUp();
  printCpu(stack, { before, items: run.postings, item: 'posting' });
  const [differences] = await stack.db.query(
    `SELECT s.video_id FROM playbill_batch.daily_statistic s JOIN playbill_batch.position p ON p.video_id = s.video_id
     WHERE s.day = '${day}' AND p.view_day <> s.day LIMIT 1`,
  );
  const elapsed = runSeconds(run);
  return [
    videos.toLocaleString('en'),
    run.postings.toLocaleString('en'),
    elapsed.toFixed(1),
    Math.round(run.postings / elapsed).toLocaleString('en'),
    run.replicas.map((r) => `${Math.round((100 * r.partitions) / run.partitions.total)} %`).join(' : '),
    Math.max(...stack.batchPids().map(peakMemoryMb)).toFixed(0),
    String((differences as unknown[]).length),
  ];
}

async function makeStatistics({ db }: BenchStack, { day, videos }: { day: string; videos: number }): Promise<void> {
  const digits = (alias: string) =>
    `(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5
      UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) ${alias}`;
  const creator = `1 + id % ${videos / CREATOR_PER_VIDEOS}`;
  await db.query(
    `INSERT INTO playbill_batch.daily_statistic
     SELECT '${day}', id % 64, id, (${creator}) % 64, ${creator}, 1 + id % 500, 60 * id % 10000, 1 + id % 30, 0, 0, 0, 0
     FROM (SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS id
       FROM ${digits('a')}, ${digits('b')}, ${digits('c')}, ${digits('d')}, ${digits('e')}, ${digits('f')}) ids
     WHERE id <= ${videos} ORDER BY id % 64, id`,
  );
  const runId = `00000000-0000-7000-8000-0000000000${day.slice(-2)}`;
  const events = `(SELECT SUM(views) FROM playbill_batch.daily_statistic WHERE day = '${day}')`;
  await db.query(
    `INSERT INTO playbill_batch.statistic_day (day, revision, run_id, events, completed_at)
     SELECT '${day}', 1, '${runId}', ${events}, UTC_TIMESTAMP(3)`,
  );
}

/** Peak resident memory of a process since it started. */
function peakMemoryMb(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}
