import { addDays, type KstDay } from '#domain';
import { VIDEO_SUMS } from '../../services/batch/repositories/event-repository.js';
import { batchClientOf } from '../../services/ops/adapters/batch-client.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { type Bench, type BenchStack, printTable, seconds } from './support.js';

const FIRST_DAY = '2026-06-01' as KstDay;
const VIDEOS = 100_000;
const SIZES = [4_000_000, 16_000_000];

/**
 * A full reconciliation of a day, by the operator's call, beside one scan of its events: one COUNT and GROUP BY of the
 * day by video in one connection on the primary.
 */
export const reconciliation: Bench = {
  name: 'reconciliation',
  async run(stack, { quick }) {
    const rows: string[][] = [];
    for (const [i, events] of (quick ? [1_000_000] : SIZES).entries()) {
      rows.push(await measure(stack, { day: addDays(FIRST_DAY, i), events }));
    }
    printTable(['events', 'postings', 'scan s', 'reconciliation s', 'ratio', 'differences'], rows);
  },
};

async function measure(stack: BenchStack, { day, events }: { day: KstDay; events: number }): Promise<string[]> {
  await stack.generate({ day, events, videos: VIDEOS, seed: 1 });
  await stack.runDay(day);
  await stack.replicasCaughtUp();
  const batch = batchClientOf(installationOf(stack.stack.endpoints, stack.stack.secrets));
  const scans: number[] = [];
  const proofs: number[] = [];
  let differences = 0;
  for (let i = 0; i < 3; i++) {
    scans.push(
      await seconds(() =>
        stack.db.query(
          `SELECT COUNT(*), SUM(events) FROM (SELECT slice, video_id, ${VIDEO_SUMS} FROM playbill_watch.watch_event
           WHERE day = '${day}' GROUP BY slice, video_id) s`,
        ),
      ),
    );
    proofs.push(
      await seconds(async () => {
        differences += (await batch.reconciliation(day)).differences.length;
      }),
    );
  }
  const [[postings]] = (await stack.db.query(
    `SELECT COUNT(*) AS n FROM playbill_batch.posting WHERE event_day = '${day}'`,
  )) as never as [[{ n: number }]];
  const [scan, proof] = [median(scans), median(proofs)];
  return [
    events.toLocaleString('en'),
    Number(postings.n).toLocaleString('en'),
    scan.toFixed(2),
    proof.toFixed(2),
    (proof / scan).toFixed(2),
    String(differences),
  ];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
