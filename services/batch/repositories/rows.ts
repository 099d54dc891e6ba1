import type { KstDay } from '#domain';
import { datetimeToInstant } from '#lib/database';
import type { Job, Phase, Run, RunState } from '../domain/run.js';

/** A row of `run` as the driver gives it: 64-bit integers and dates as text. */
export interface RunRow {
  readonly run_id: string;
  readonly run_number: string;
  readonly job: Job;
  readonly day: string;
  readonly state: RunState;
  readonly phase: Phase | null;
  readonly requested_by: string;
  readonly billed_on: string | null;
  readonly tariff_version: number | string | null;
  readonly read_position: string | null;
  readonly error: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

export function toRun(row: RunRow): Run {
  return {
    runId: row.run_id,
    runNumber: Number(row.run_number),
    job: row.job,
    day: row.day as KstDay,
    state: row.state,
    phase: row.phase,
    requestedBy: row.requested_by,
    billedOn: row.billed_on as KstDay | null,
    tariffVersion: row.tariff_version === null ? null : Number(row.tariff_version),
    readPosition: row.read_position,
    error: row.error,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

/** `2026-11-23 01:02:03.456` (UTC) as RFC 3339. */
export function toInstant(text: string | null): string | null {
  return text === null ? null : datetimeToInstant(text);
}
