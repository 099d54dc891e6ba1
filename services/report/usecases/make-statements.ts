import { createHash } from 'node:crypto';
import type { IsoWeek } from '#domain';
import { inTransaction, type Queryable } from '#lib/database';
import { contentOf, type Settlement, type Statement, settlementText } from '../domain/statement.js';
import {
  insertStatement,
  type LatestRevision,
  latestRevisions,
  latestStatement,
  type NewStatement,
} from '../repositories/statement-repository.js';
import type { Context } from './context.js';
import { type NotReady, readCreator, readWeek, type WeekSources } from './week-sources.js';

/** A creator's statement: its revision, and whether it was new. */
export interface MadeStatement {
  readonly creatorId: bigint;
  readonly revision: number;
  readonly isNew: boolean;
}

/**
 * Makes the statements of these creators that are missing or whose numbers have changed, in the caller's transaction.
 * What is there already with the same numbers stays as it is.
 */
export async function makeStatements(
  tx: Queryable,
  sources: WeekSources,
  creators: ReadonlyMap<bigint, Settlement>,
): Promise<MadeStatement[]> {
  const latest = await latestRevisions(tx, sources.week, [...creators.keys()]);
  const made: MadeStatement[] = [];
  for (const [creatorId, settlement] of creators) {
    made.push(await makeOne(tx, { sources, creatorId, settlement, latest: latest.get(creatorId) }));
  }
  return made;
}

interface OneStatement {
  readonly sources: WeekSources;
  readonly creatorId: bigint;
  readonly settlement: Settlement;
  readonly latest: LatestRevision | undefined;
}

async function makeOne(tx: Queryable, one: OneStatement): Promise<MadeStatement> {
  const { creatorId, latest } = one;
  const settlementHash = sha256(settlementText(one.settlement));
  if (latest?.settlementHash === settlementHash) return { creatorId, revision: latest.revision, isNew: false };
  const revision = (latest?.revision ?? 0) + 1;
  const isNew = await insertStatement(tx, statementOf(one, revision, settlementHash));
  return { creatorId, revision, isNew };
}

function statementOf(
  { sources, creatorId, settlement }: OneStatement,
  revision: number,
  settlementHash: string,
): NewStatement {
  const { week, asOf, topByViews, topByPlayTime } = sources;
  const content = JSON.stringify(contentOf({ week, creatorId, revision, asOf, settlement, topByViews, topByPlayTime }));
  return { creatorId, week, revision, content, contentHash: sha256(content), settlementHash };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A creator's statement of a week, or why there is none. */
export type StatementResult =
  | { readonly kind: 'statement'; readonly statement: Statement }
  | { readonly kind: 'not-ready'; readonly reason: NotReady }
  | { readonly kind: 'no-activity' };

/**
 * The latest revision of a creator's statement of a week; made now when it never was and the week is settled. A
 * statement that is there is not compared with anything: it is made once.
 */
export async function statementFor(
  context: Context,
  { creatorId, week }: { creatorId: bigint; week: IsoWeek },
): Promise<StatementResult> {
  const { primary } = context.database;
  const stored = await latestStatement(primary, { creatorId, week });
  if (stored !== undefined) return { kind: 'statement', statement: stored };
  const nowMs = context.now();
  const read = await context.reader.read(async (db) => {
    const sources = await readWeek(db, { week, nowMs });
    if (typeof sources === 'string') return sources;
    return { sources, settlement: await readCreator(db, sources, creatorId) };
  });
  if (typeof read === 'string') return { kind: 'not-ready', reason: read };
  const { sources, settlement } = read;
  if (settlement === undefined) return { kind: 'no-activity' };
  await inTransaction(primary, (tx) => makeStatements(tx, sources, new Map([[creatorId, settlement]])));
  context.wake();
  const statement = await latestStatement(primary, { creatorId, week });
  if (statement === undefined) throw new Error(`the statement of creator ${creatorId} for ${week} was not stored`);
  return { kind: 'statement', statement };
}
