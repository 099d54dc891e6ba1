import type { KstDay, ValidityPolicy } from '#domain';
import type { Queryable } from '#lib/database';

interface PolicyRow {
  readonly version: number;
  readonly effective_from: string;
  readonly repeat_window_ms: number;
  readonly min_played_seconds: number;
}

/** Every version of the validity policy. A handful of rows. */
export async function readPolicies(db: Queryable): Promise<ValidityPolicy[]> {
  const rows: PolicyRow[] = await db.query(
    'SELECT version, effective_from, repeat_window_ms, min_played_seconds FROM playbill_watch.validity_policy',
  );
  return rows.map((row) => ({
    version: Number(row.version),
    effectiveFrom: row.effective_from as KstDay,
    repeatWindowMs: Number(row.repeat_window_ms),
    minPlayedSeconds: Number(row.min_played_seconds),
  }));
}
