import { setTimeout as pause } from 'node:timers/promises';
import type { IsoWeek } from '#domain';
import type { ReportClient, StatementRunView } from './adapters/report-client.js';
import { formatNumber } from './tables.js';

const LOOK_INTERVAL_MS = 300;

/** Asks for a week's statements and waits until they are made and no mail is queued any more, or for the time given. */
export async function makeStatements(
  reports: ReportClient,
  week: IsoWeek,
  { waitMs }: { waitMs: number },
): Promise<StatementRunView> {
  const { runId } = await reports.makeStatements(week);
  const deadlineMs = performance.now() + waitMs;
  for (;;) {
    const run = await reports.readRun(runId);
    const isDone = run.state === 'completed' && run.mails?.queued === 0;
    if (isDone || performance.now() > deadlineMs) return run;
    await pause(LOOK_INTERVAL_MS);
  }
}

/** A run in one or two lines. */
export function formatStatementRun(run: StatementRunView): string {
  const { queued = 0, sent = 0, failed = 0 } = run.mails ?? {};
  const number = formatNumber;
  const made = `${run.week}: statements of ${number(run.creators)} creators, ${number(run.made)} of them new (${run.state})`;
  const mails = `mails: ${number(sent)} sent, ${number(queued)} queued, ${number(failed)} failed`;
  return `${made}\n${mails}${run.error === undefined ? '' : `\n${run.error}`}`;
}
