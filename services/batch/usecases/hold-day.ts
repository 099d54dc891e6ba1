import { DomainError, type KstDay } from '#domain';
import { inTransaction } from '#lib/database';
import { writeAudit } from '../repositories/audit-repository.js';
import {
  type DayHold,
  deleteHold,
  findHold,
  insertHold,
  lockBooks,
  readHolds,
} from '../repositories/books-repository.js';
import { findActiveRun, takeUp } from '../repositories/run-repository.js';
import type { Context } from './context.js';

export interface HoldRequest {
  readonly day: KstDay;
  readonly reason: string;
  readonly actor: string;
}

/**
 * Holds a day: its settlement waits, and with it that of the days after it, until it is released. A day that is held
 * stays as it is.
 * @throws DomainError RUN_ACTIVE when it is being settled right now
 */
export async function holdDay(context: Context, { day, reason, actor }: HoldRequest): Promise<DayHold> {
  return inTransaction(context.database.primary, async (tx) => {
    await lockBooks(tx);
    const existing = await findHold(tx, day);
    if (existing !== undefined) return existing;
    const run = await findActiveRun(tx, day);
    if (run?.state === 'running' && run.phase === 'settlement') {
      throw new DomainError('RUN_ACTIVE', `${day} is being settled right now.`, { details: { runId: run.runId } });
    }
    await insertHold(tx, { day, reason, heldBy: actor });
    const hold = (await findHold(tx, day))!;
    await writeAudit(tx, { actor, action: 'day.hold', subject: `day:${day}`, before: null, after: hold });
    return hold;
  });
}

/**
 * Releases a held day; a run that waited for it goes on.
 * @returns the run that goes on, or null
 * @throws DomainError DAY_NOT_HELD
 */
export async function releaseDay(
  context: Context,
  { day, reason, actor }: HoldRequest,
): Promise<{ day: KstDay; runId: string | null }> {
  return inTransaction(context.database.primary, async (tx) => {
    await lockBooks(tx);
    const hold = await findHold(tx, day);
    if (hold === undefined) throw new DomainError('DAY_NOT_HELD', `${day} is not held.`, { field: 'date' });
    await deleteHold(tx, day);
    const runId = await takeUp(tx, day);
    const after = { released: true, reason, runId };
    await writeAudit(tx, { actor, action: 'day.release', subject: `day:${day}`, before: hold, after });
    return { day, runId };
  });
}

/** Every day that is held. */
export function listHolds(context: Context): Promise<DayHold[]> {
  return readHolds(context.database.primary);
}
