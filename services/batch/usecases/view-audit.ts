import { type AuditView, readAudit } from '../repositories/audit-repository.js';
import type { Context } from './context.js';

const PAGE_ROWS = 100;

/** What operators did, from the newest on, a page at a time. The cursor is opaque to clients. */
export async function viewAudit(
  context: Context,
  cursor: string | undefined,
): Promise<{ items: AuditView[]; nextCursor: string | null }> {
  const entries = await readAudit(context.database.primary, PAGE_ROWS + 1, cursor);
  const items = entries.slice(0, PAGE_ROWS);
  return { items, nextCursor: entries.length > PAGE_ROWS ? items.at(-1)!.id : null };
}
