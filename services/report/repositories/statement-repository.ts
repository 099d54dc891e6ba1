import type { IsoWeek } from '#domain';
import { writeOutbox } from '#lib/dapr';
import type { Queryable } from '#lib/database';
import type { Statement, StatementContent } from '../domain/statement.js';

const STATEMENT = 'playbill_report.statement';
const OUTBOX = 'playbill_report.outbox';

/** What is known of a creator's latest revision of a week. */
export interface LatestRevision {
  readonly revision: number;
  readonly settlementHash: string;
}

/** The latest revision of a creator's statement of a week, or undefined. One row by primary key. */
export async function latestStatement(
  db: Queryable,
  { creatorId, week }: { creatorId: bigint; week: IsoWeek },
): Promise<Statement | undefined> {
  const [row] = await db.query(
    `SELECT content, content_hash FROM ${STATEMENT} WHERE week = ? AND creator_id = ? ORDER BY revision DESC LIMIT 1`,
    [week, creatorId],
  );
  return row === undefined ? undefined : statementOf(row);
}

/** One revision of a creator's statement. By primary key. */
export async function findStatement(
  db: Queryable,
  { creatorId, week, revision }: { creatorId: bigint; week: string; revision: number },
): Promise<Statement | undefined> {
  const [row] = await db.query(
    `SELECT content, content_hash FROM ${STATEMENT} WHERE week = ? AND creator_id = ? AND revision = ?`,
    [week, creatorId, revision],
  );
  return row === undefined ? undefined : statementOf(row);
}

function statementOf(row: { content: string; content_hash: string }): Statement {
  return { content: JSON.parse(row.content) as StatementContent, hash: row.content_hash };
}

/** The latest revisions of these creators' statements of a week; a creator without one is absent. By primary key. */
export async function latestRevisions(
  tx: Queryable,
  week: IsoWeek,
  creatorIds: readonly bigint[],
): Promise<Map<bigint, LatestRevision>> {
  if (creatorIds.length === 0) return new Map();
  const rows: { creator_id: string; revision: number; settlement_hash: string }[] = await tx.query(
    `SELECT creator_id, revision, settlement_hash FROM ${STATEMENT}
     WHERE week = ? AND creator_id IN (${creatorIds.join(', ')}) ORDER BY creator_id, revision`,
    [week],
  );
  return new Map(
    rows.map((row) => [
      BigInt(row.creator_id),
      { revision: Number(row.revision), settlementHash: row.settlement_hash },
    ]),
  );
}

export interface NewStatement {
  readonly creatorId: bigint;
  readonly week: IsoWeek;
  readonly revision: number;
  /** The text that the hash is of. */
  readonly content: string;
  readonly contentHash: string;
  readonly settlementHash: string;
}

/**
 * Stores a statement and tells of it. @returns false when the creator has this revision already, made by somebody else
 */
export async function insertStatement(tx: Queryable, statement: NewStatement): Promise<boolean> {
  const { creatorId, week, revision } = statement;
  const result = await tx.query(
    `INSERT IGNORE INTO ${STATEMENT} (week, creator_id, revision, content_hash, settlement_hash, content, created_at)
     VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
    [week, creatorId, revision, statement.contentHash, statement.settlementHash, statement.content],
  );
  if (result.affectedRows !== 1) return false;
  const payload = { creatorId: String(creatorId), week, revision };
  await writeOutbox(tx, OUTBOX, { topic: 'statement.ready', payload });
  return true;
}
