import { addDays, daysBetween, daysOf, type IsoWeek, type KstDay, kstDayOf, weekOf, weekRange } from '#domain';
import { type BatchClient, batchClientOf, type Reconciliation } from '../../services/ops/adapters/batch-client.js';
import { type Installation, installationOf, type StackEndpoints } from '../../services/ops/adapters/installation.js';
import { type OperatorDatabase, openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { reportClientOf } from '../../services/ops/adapters/report-client.js';
import { bestPaidCreators, type CreatorPay, topFiveOf } from '../../services/ops/adapters/result-queries.js';
import { formatDifferences } from '../../services/ops/commands/reconcile.js';
import { formatTopFive } from '../../services/ops/commands/top.js';
import { type GenerateReport, generate } from '../../services/ops/generator/generate.js';
import { createProgress } from '../../services/ops/progress.js';
import { formatOutcomes, type RunOutcome, runDay } from '../../services/ops/run-view.js';
import { formatStatementRun, makeStatements } from '../../services/ops/statements-view.js';
import { formatNumber, formatTable } from '../../services/ops/tables.js';
import { makeSampleAccounts, sampleEmail, samplePassword } from './sample-accounts.js';

/** At least. */
const SAMPLE_DAYS = 3;
/** Of each day; the days share the videos and their creators. */
const EVENTS_PER_DAY = 100_000;
const VIDEOS = 2_000;
const CREATORS = 200;
const SEED = 1;
const BEST_PAID_COUNT = 5;

/** What the sample needs of the stack that runs. */
export interface SampleStack {
  readonly endpoints: StackEndpoints & { readonly inboxUrl?: string };
  /** As the secrets file has them. */
  readonly secrets: Readonly<Record<string, unknown>>;
}

/**
 * The three days before today, in Asia/Seoul; and, when none of them is in the week before this one, that week's
 * Sunday, so that there are statements to mail.
 */
function recentDays(today: KstDay): KstDay[] {
  const days = [...daysOf(addDays(today, -SAMPLE_DAYS), addDays(today, -1))];
  const { to: sunday } = weekRange(lastWeek(today));
  return days[0]! <= sunday ? days : [sunday, ...days];
}

/** The week before the day's. */
function lastWeek(today: KstDay): IsoWeek {
  return weekOf(addDays(weekRange(weekOf(today)).from, -1));
}

/** The sample's days without those from before the books opened, which are closed to it. */
async function sampleDays(database: OperatorDatabase, today: KstDay): Promise<KstDay[]> {
  const [row] = await database.primary.query('SELECT MIN(day) AS day FROM playbill_batch.settlement_day');
  return recentDays(today).filter((day) => row.day === null || day >= row.day);
}

/**
 * Makes the sample's events where they are not. Needs the database only: done before the batch service starts, the
 * service's own schedule finds them; done after, they are late for the days that it has settled by then.
 */
export async function prepareSample(stack: SampleStack): Promise<void> {
  const today = kstDayOf(Date.now());
  const installation = installationOf(stack.endpoints, stack.secrets);
  const database = await openOperatorDatabase(installation);
  try {
    await makeSampleAccounts(database, { creators: CREATORS, opsKey: installation.opsKey });
    for (const day of await sampleDays(database, today)) {
      if (!(await isDone(database, day))) print(describeGeneration(await generateDay(database, day, today)));
    }
  } finally {
    await database.close();
  }
}

/**
 * Shows the whole way of a day with the sample's events, which `prepareSample` has made: runs each of the days on all
 * batch replicas, prints what came of it, and has last week's statements mailed. What was run before is not run again,
 * only shown.
 */
export async function runSample(stack: SampleStack): Promise<void> {
  const today = kstDayOf(Date.now());
  const [perDay, videos, creators] = [EVENTS_PER_DAY, VIDEOS, CREATORS].map(formatNumber);
  const installation = installationOf(stack.endpoints, stack.secrets);
  const batch = batchClientOf(installation);
  const database = await openOperatorDatabase(installation);
  try {
    const days = await sampleDays(database, today);
    print(`Sample: ${days.length} days of ${perDay} watch events, ${videos} videos, ${creators} creators`);
    const outcomes: RunOutcome[] = [];
    for (const date of days) {
      await catchUp({ database, batch, before: date });
      outcomes.push(await runDay(batch, { date, job: 'daily', silent: false }));
    }
    await showResults({ database, batch, days, outcomes });
    await showStatements({ database, installation, week: lastWeek(today), inboxUrl: stack.endpoints.inboxUrl, days });
    print(`\n${whatNext(days)}`);
  } finally {
    await database.close();
  }
}

/** Settles the days between the last settled one and the sample, which are empty: days settle in order. */
async function catchUp({
  database,
  batch,
  before,
}: {
  database: OperatorDatabase;
  batch: BatchClient;
  before: KstDay;
}) {
  const [row] = await database.primary.query('SELECT MAX(day) AS day FROM playbill_batch.settlement_day');
  if (row.day === null || daysBetween(row.day, before) <= 1) return;
  const missing = [...daysOf(addDays(row.day, 1), addDays(before, -1))];
  print(`Settling ${missing.length} days since ${row.day} first: days settle in order`);
  for (const date of missing) await runDay(batch, { date, job: 'daily', silent: false });
}

/** Whether a run has covered at least the sample's events of the day, and none have come since. */
async function isDone(database: OperatorDatabase, day: KstDay): Promise<boolean> {
  const rows = await database.primary.query(
    `SELECT s.day FROM playbill_batch.statistic_day s JOIN playbill_batch.settlement_day t ON t.day = s.day
     WHERE s.day = ? AND s.events >= ?
       AND NOT EXISTS (SELECT 1 FROM playbill_watch.dirty_slice d WHERE d.day = s.day)`,
    [day, EVENTS_PER_DAY],
  );
  return rows.length > 0;
}

async function generateDay(database: OperatorDatabase, day: KstDay, today: KstDay): Promise<GenerateReport> {
  const progress = createProgress({ label: `generate ${day}`, silent: false });
  const request = { day, events: EVENTS_PER_DAY, videos: VIDEOS, creators: CREATORS, seed: SEED };
  const onProgress = ({ rows }: { rows: number }) => progress.update(rows, request.events, 'events');
  try {
    return await generate({ database, request, today, onProgress });
  } finally {
    progress.stop();
  }
}

function describeGeneration({ day, newEvents, primary, replicas }: GenerateReport): string {
  const slowest = Math.min(...replicas.map((replica) => (replica.caughtUp ? replica.rowsPerSecond : 0)));
  const everywhere =
    Number.isFinite(slowest) && slowest > 0 ? `, ${formatNumber(slowest)} rows/s until on all replicas` : '';
  return `${day}: ${formatNumber(newEvents)} events made, ${formatNumber(primary.rowsPerSecond)} rows/s${everywhere}`;
}

interface Results {
  readonly database: OperatorDatabase;
  readonly batch: BatchClient;
  readonly days: readonly KstDay[];
  readonly outcomes: readonly RunOutcome[];
}

async function showResults({ database, batch, days, outcomes }: Results): Promise<void> {
  for (const day of days) print(`\n${formatTopFive(await topFiveOf(database, day))}`);
  print(
    `\nBest-paid creators of these days\n${formatCreators(await bestPaidCreators(database, { days, count: BEST_PAID_COUNT }))}`,
  );
  print(`\nRuns\n${formatOutcomes(outcomes)}`);
  const proofs: Reconciliation[] = [];
  for (const day of days) proofs.push(await batch.reconciliation(day));
  print(`\nReconciliation: raw events, statistics, postings and ledger against each other`);
  for (const proof of proofs) print(describeProof(proof));
}

interface Statements {
  readonly database: OperatorDatabase;
  readonly installation: Installation;
  readonly week: IsoWeek;
  readonly inboxUrl: string | undefined;
  readonly days: readonly KstDay[];
}

const MAILS_WAIT_MS = 15_000;

/** Has the week's statements made and mailed, and says where they are to be seen, and as whom. */
async function showStatements({ database, installation, week, inboxUrl, days }: Statements): Promise<void> {
  const run = await makeStatements(reportClientOf(installation), week, { waitMs: MAILS_WAIT_MS });
  print(`\nStatements\n${formatStatementRun(run)}`);
  if (inboxUrl !== undefined) print(`inbox: ${inboxUrl}`);
  const [best] = await bestPaidCreators(database, { days, count: 1 });
  if (best === undefined) return;
  print(`sign in as ${sampleEmail(best.creatorId)} with ${samplePassword(installation.opsKey)}`);
}

function formatCreators(creators: readonly CreatorPay[]): string {
  return formatTable(
    [
      { title: '#', align: 'right' },
      { title: 'creator', align: 'right' },
      { title: 'videos', align: 'right' },
      { title: 'views', align: 'right' },
      { title: 'ad views', align: 'right' },
      { title: 'won', align: 'right' },
    ],
    creators.map((creator, index) => [
      index + 1,
      creator.creatorId,
      creator.videos,
      creator.views,
      creator.adViews,
      creator.amount,
    ]),
  );
}

function describeProof(proof: Reconciliation): string {
  const { day, events, ledger } = proof;
  return `${day}: ${formatNumber(events)} events, ${formatNumber(ledger.amount)} won in ${formatNumber(ledger.entries)} ledger entries, ${formatDifferences(proof)}`;
}

function whatNext(days: readonly KstDay[]): string {
  const last = days.at(-1)!;
  return [
    'Try next',
    '  npm run ops -- status',
    `  npm run ops -- generate --day ${last} --events 50000 --videos ${VIDEOS} --creators ${CREATORS} --seed 2`,
    `  npm run ops -- run --date ${last}          (late events: only the difference is posted)`,
    `  npm run ops -- reconcile --date ${last}`,
    `  npm run ops -- top --date ${last} --json`,
    `  npm run ops -- mails list`,
  ].join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
