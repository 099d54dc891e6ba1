import type { IsoWeek } from '#domain';
import { inTransaction } from '#lib/database';
import { findMailOf, type MailView, queueMail, replayMails } from '../repositories/mail-repository.js';
import type { Context } from './context.js';
import { type StatementResult, statementFor } from './make-statements.js';

export type MailResult =
  | { readonly kind: 'mail'; readonly mail: MailView }
  | Exclude<StatementResult, { readonly kind: 'statement' }>;

/**
 * Queues the mail of the latest revision of a creator's statement. Asked again, it is the same mail; one that failed
 * for certain is tried again, one in doubt is not.
 */
export async function requestMail(
  context: Context,
  { creatorId, week }: { creatorId: bigint; week: IsoWeek },
): Promise<MailResult> {
  const result = await statementFor(context, { creatorId, week });
  if (result.kind !== 'statement') return result;
  const key = { creatorId, week, revision: result.statement.content.revision };
  const mail = await inTransaction(context.database.primary, async (tx) => {
    await queueMail(tx, key);
    const queued = await findMailOf(tx, key);
    if (queued?.state !== 'failed' || queued.failure === 'IN_DOUBT') return queued;
    await replayMails(tx, [queued.mailId]);
    return findMailOf(tx, key);
  });
  if (mail === undefined) throw new Error(`the mail of creator ${creatorId} for ${week} was not stored`);
  context.wake();
  return { kind: 'mail', mail };
}
