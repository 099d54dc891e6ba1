import { createHash } from 'node:crypto';
import { uuidv7 } from '#lib/dapr';
import { bulkInsert, inTransaction, type Queryable } from '#lib/database';
import type { OperatorDatabase } from '../adapters/operator-database.js';
import { CommandError } from '../errors.js';
import { type LineError, type OpeningPosition, parsePositions } from './positions-file.js';

export interface OpeningReport {
  readonly videos: number;
  readonly views: bigint;
  readonly adViews: bigint;
  readonly sha256: string;
  /** Whether the same file was brought in before, so that nothing was done now. */
  readonly unchanged: boolean;
}

const ERRORS_SHOWN = 20;
const VIDEOS_PER_QUERY = 5_000;

/**
 * Brings in the lifetime positions of videos from before the books opened: all of the file or nothing, once. Chains
 * start there. The same file again is answered as done.
 * @param actor who does it, for the audit log
 * @throws CommandError OPENING_INVALID naming the lines, BOOKS_OPEN once anything is settled, OPENING_LOADED when
 * another file was brought in
 */
export async function loadOpening(
  database: Pick<OperatorDatabase, 'primary'>,
  { text, actor }: { text: string; actor: string },
): Promise<OpeningReport> {
  const { positions, errors } = parsePositions(text);
  refuseErrors(errors);
  await refuseUnregistered(database.primary, positions);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const sum = (pick: (position: OpeningPosition) => bigint) => positions.reduce((all, p) => all + pick(p), 0n);
  const report = { videos: positions.length, views: sum((p) => p.views), adViews: sum((p) => p.adViews), sha256 };
  return inTransaction(database.primary, async (tx) => {
    const loaded = await lockBooks(tx);
    if (loaded === sha256) return { ...report, unchanged: true };
    if (loaded !== null) throw new CommandError('OPENING_LOADED', 'opening positions were brought in before');
    await refuseOpenBooks(tx);
    await insertPositions(tx, positions);
    await record(tx, report, actor);
    return { ...report, unchanged: false };
  });
}

function refuseErrors(errors: readonly LineError[]): void {
  if (errors.length === 0) return;
  const shown = errors.slice(0, ERRORS_SHOWN).map(({ line, message }) => `line ${line}: ${message}`);
  const more = errors.length > ERRORS_SHOWN ? `; and ${errors.length - ERRORS_SHOWN} more` : '';
  throw new CommandError('OPENING_INVALID', `nothing was written; ${shown.join('; ')}${more}`);
}

/** Every video must be registered: its owner is who will be paid. Reads by primary key. */
async function refuseUnregistered(db: Queryable, positions: readonly OpeningPosition[]): Promise<void> {
  const missing: LineError[] = [];
  for (let at = 0; at < positions.length; at += VIDEOS_PER_QUERY) {
    const part = positions.slice(at, at + VIDEOS_PER_QUERY);
    const rows: { video_id: string }[] = await db.query(
      `SELECT video_id FROM playbill_video.video WHERE video_id IN (${part.map((p) => p.videoId).join(', ')})`,
    );
    const known = new Set(rows.map((row) => String(row.video_id)));
    part.forEach(({ videoId }, i) => {
      if (!known.has(String(videoId)))
        missing.push({ line: at + i + 2, message: `video ${videoId} is not registered` });
    });
  }
  refuseErrors(missing);
}

/** Holds the books, as the planning of a settlement does. @returns the hash of the file brought in before, or null */
async function lockBooks(tx: Queryable): Promise<string | null> {
  const [books] = await tx.query('SELECT opening_sha256 FROM playbill_batch.books WHERE id = 1 FOR UPDATE');
  return books?.opening_sha256 ?? null;
}

async function refuseOpenBooks(tx: Queryable): Promise<void> {
  const [row] = await tx.query(
    `SELECT EXISTS (SELECT 1 FROM playbill_batch.settlement_day) OR EXISTS (SELECT 1 FROM playbill_batch.posting)
       OR EXISTS (SELECT 1 FROM playbill_batch.position) OR EXISTS (SELECT 1 FROM playbill_batch.run
         WHERE active_day IS NOT NULL AND phase = 'settlement' AND state = 'running') AS open`,
  );
  if (Number(row.open) === 1) {
    throw new CommandError('BOOKS_OPEN', 'a day is settled already: opening positions come before the books open');
  }
}

async function insertPositions(tx: Queryable, positions: readonly OpeningPosition[]): Promise<void> {
  for (let at = 0; at < positions.length; at += VIDEOS_PER_QUERY) {
    await bulkInsert(
      tx,
      {
        table: 'playbill_batch.position',
        columns: ['video_id', 'opening_views', 'opening_ads', 'views', 'ads'],
        values: (p) => [p.videoId, p.views, p.adViews, p.views, p.adViews],
        constants: { view_seq: 0, ad_seq: 0 },
      },
      positions.slice(at, at + VIDEOS_PER_QUERY),
    );
  }
}

async function record(tx: Queryable, report: Omit<OpeningReport, 'unchanged'>, actor: string): Promise<void> {
  await tx.query(
    `UPDATE playbill_batch.books SET opening_sha256 = ?, opening_videos = ?, opening_loaded_at = UTC_TIMESTAMP(3),
       opening_loaded_by = ? WHERE id = 1`,
    [report.sha256, report.videos, actor],
  );
  const after = { ...report, views: String(report.views), adViews: String(report.adViews) };
  await tx.query(
    `INSERT INTO playbill_batch.audit_log (id, at, actor, action, subject, before_value, after_value)
     VALUES (?, UTC_TIMESTAMP(3), ?, 'opening.load', 'books', NULL, ?)`,
    [uuidv7(), actor, JSON.stringify(after)],
  );
}
