import type { Command } from 'commander';
import type { AuditView } from '../adapters/batch-client.js';
import { printResult } from '../output.js';
import { formatTable } from '../tables.js';
import type { CommandEnvironment } from './environment.js';

/** `audit`: what operators did, the newest first. */
export function addAuditCommand(program: Command, environment: CommandEnvironment): void {
  program
    .command('audit')
    .description('what operators did: who, when, on what, before and after')
    .option('--cursor <cursor>', 'nextCursor of the page before')
    .option('--json', 'print the page as JSON', false)
    .action(async ({ cursor, json }: { cursor?: string; json: boolean }) => {
      const page = await (await environment.batch()).audit(cursor);
      printResult({ json, value: page, text: () => formatAudit(page) });
    });
}

function formatAudit({ items, nextCursor }: { items: readonly AuditView[]; nextCursor: string | null }): string {
  if (items.length === 0) return 'nothing was done yet';
  const table = formatTable(
    [{ title: 'when' }, { title: 'who' }, { title: 'what' }, { title: 'on' }, { title: 'before' }, { title: 'after' }],
    items.map(({ at, actor, action, subject, before, after }) => [
      at,
      actor,
      action,
      subject,
      show(before),
      show(after),
    ]),
  );
  return nextCursor === null ? table : `${table}\n\nolder ones: --cursor ${nextCursor}`;
}

function show(value: unknown): string {
  return value === null ? '' : JSON.stringify(value);
}
