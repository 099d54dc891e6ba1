import { createHash } from 'node:crypto';
import type { Connection, Pool } from 'mysql2/promise';
import { BatchClient, type RunView } from '../../../services/ops/adapters/batch-client.js';
import { installationOf } from '../../../services/ops/adapters/installation.js';
import { skipSchedule } from '../../support/schedule.js';
import { operatorToken } from './identity.js';
import { adminConnection, eventually, stack } from './stack.js';

/** A client of the batch service's REST API, by the sidecars of both replicas. */
export function batchClient(): BatchClient {
  const { endpoints, secrets } = stack();
  return new BatchClient(installationOf(endpoints, secrets), operatorToken);
}

/** Asks for a run of the day and waits for its end. */
export async function runDay(day: string, job: 'daily' | 'statistics' | 'settlement' = 'daily'): Promise<RunView> {
  const runId = await requestDay(day, job);
  return waitForRun(runId);
}

/** Asks for a run of the day. @returns the id of the run that does it */
export async function requestDay(day: string, job: 'daily' | 'statistics' | 'settlement' = 'daily'): Promise<string> {
  const answer = await batchClient().requestRun({ date: day as never, job });
  return answer.kind === 'unchanged' ? answer.run.runId : answer.runId;
}

const RUN_DEADLINE_MS = 90_000;

export async function waitForRun(runId: string): Promise<RunView> {
  return eventually(
    async () => {
      const view = await batchClient().readRun(runId);
      return view.state === 'completed' || view.state === 'failed' ? view : undefined;
    },
    { what: `the end of run ${runId}`, deadlineMs: RUN_DEADLINE_MS },
  );
}

/** One call to the batch service as it is, by the sidecar of replica 1. */
export async function callBatch(path: string, init: { method?: string; body?: unknown } = {}) {
  const { sidecarPorts, daprApiToken } = stack().endpoints.batch;
  const response = await fetch(`http://127.0.0.1:${sidecarPorts[0]}/v1.0/invoke/batch/method/${path}`, {
    method: init.method ?? 'GET',
    headers: {
      'dapr-api-token': daprApiToken,
      'content-type': 'application/json',
      authorization: `Bearer ${await operatorToken()}`,
    },
    body: init.body === undefined ? null : JSON.stringify(init.body),
    signal: AbortSignal.timeout(10_000),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the call
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as any };
}

/** Tells the coordinator that the schedule fired for a slot, as each replica does. @returns the days that it queued */
export async function tick(slot: string): Promise<string[]> {
  const { sidecarPorts, daprApiToken } = stack().endpoints.batch;
  const response = await fetch(`http://127.0.0.1:${sidecarPorts[1]}/v1.0/actors/CoordinatorActor/daily/method/tick`, {
    method: 'PUT',
    headers: { 'dapr-api-token': daprApiToken },
    body: JSON.stringify([slot]),
  });
  const answer = (await response.json()) as { ok: boolean; data: { days: string[] } };
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  return answer.data.days;
}

/** The tables that a run writes, and their columns that say what it found; not when and under which id. */
const RESULT_TABLES: Record<string, string> = {
  daily_statistic: '*',
  posting: `event_day, creator_slice, creator_id, video_id, kind, seq, billed_on, from_position, to_position, amount,
    tariff_version`,
  position: '*',
  ledger_entry: 'creator_id, seq, event_day, video_id, kind, posting_seq, amount',
  "top_video WHERE period_kind = 'daily'": '*',
};

/** A digest of each result table, row by row in the order of its primary key. */
export async function digests(db: Connection | Pool): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [table, columns] of Object.entries(RESULT_TABLES)) {
    const [rows] = await db.query({
      sql: `SELECT ${columns} FROM playbill_batch.${table} ORDER BY ${primaryKeys[table]}`,
      rowsAsArray: true,
    });
    result[table] =
      `${(rows as unknown[]).length} rows ${createHash('sha256').update(JSON.stringify(rows)).digest('hex')}`;
  }
  return result;
}

const primaryKeys: Record<string, string> = {
  daily_statistic: 'day, slice, video_id',
  posting: 'event_day, creator_slice, creator_id, video_id, kind, seq',
  position: 'video_id',
  ledger_entry: 'creator_id, seq',
  "top_video WHERE period_kind = 'daily'": 'period_from, metric, position_number',
};

/** Forgets every result and run, so that the same events can be run again from closed books. */
export async function forgetResults(): Promise<void> {
  const db = await adminConnection();
  try {
    await db.query('DELETE FROM playbill_batch.tick');
    await skipSchedule(db);
    for (const table of [
      'run',
      'run_slice',
      'daily_statistic',
      'statistic_day',
      'settlement_day',
      'position',
      'posting',
      'adjustment',
      'late_exclusion',
      'ledger_entry',
      'ledger_account',
      'ledger_checkpoint',
      'top_video',
      'day_hold',
      'rerun_request',
      'dropped_day',
      'top_period',
    ]) {
      await db.query(`TRUNCATE TABLE playbill_batch.${table}`);
    }
    await db.query('UPDATE playbill_batch.books SET opened_on = NULL, opening_sha256 = NULL, opening_loaded_at = NULL');
    await db.query('UPDATE playbill_batch.read_model SET version = version + 1');
    await db.query('DELETE FROM playbill_batch.tariff WHERE version > 1');
    await db.query('DELETE FROM playbill_batch.tariff_tier WHERE version > 1');
  } finally {
    await db.end();
  }
}

/** As forgetResults, and every event and video with them. */
export async function forgetEverything(): Promise<void> {
  await forgetResults();
  const db = await adminConnection();
  try {
    await db.query('TRUNCATE TABLE playbill_watch.watch_event');
    await db.query('TRUNCATE TABLE playbill_watch.dirty_slice');
    await db.query('TRUNCATE TABLE playbill_watch.viewer_progress');
    await db.query('TRUNCATE TABLE playbill_ad.shown_ads');
    await db.query('TRUNCATE TABLE playbill_video.video');
  } finally {
    await db.end();
  }
}

/** Statistics by statements that share nothing with the product's: summed in JavaScript from raw rows. */
export async function statisticsByHand(db: Connection, day: string): Promise<Map<string, string>> {
  const [rows] = await db.query({
    sql: `SELECT video_id, played_time, ad_view_count, reason FROM playbill_watch.watch_event WHERE day = ?`,
    values: [day],
    rowsAsArray: true,
  });
  const sums = new Map<string, number[]>();
  for (const [videoId, played, ads, reason] of rows as [unknown, number, number, number][]) {
    const sum = sums.get(String(videoId)) ?? [0, 0, 0, 0, 0, 0, 0];
    if (reason === 0) {
      sum[0]! += 1;
      sum[1]! += played;
      sum[2]! += ads;
    } else {
      sum[2 + reason]! += 1;
    }
    sums.set(String(videoId), sum);
  }
  return new Map([...sums].map(([videoId, sum]) => [videoId, sum.join(' ')]));
}

/** The stored statistics in the form of statisticsByHand. */
export async function statisticsStored(db: Connection, day: string): Promise<Map<string, string>> {
  const [rows] = await db.query({
    sql: `SELECT video_id, views, play_time, ad_views, excluded_self_view, excluded_repeat, excluded_too_short,
      excluded_revoked FROM playbill_batch.daily_statistic WHERE day = ?`,
    values: [day],
    rowsAsArray: true,
  });
  return new Map((rows as unknown[][]).map(([videoId, ...sums]) => [String(videoId), sums.map(Number).join(' ')]));
}
