import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/**
 * What is measured beside reads and the gateway's answers, in one place: the names are what dashboards and alert rules
 * ask for. Each service makes its own part and hands its registry to its app.
 */

/** One of the metrics of the process itself. */
const PROCESS_METRIC = 'process_cpu_user_seconds_total';
/** How often the lag of the event loop is sampled: the default of 10 ms wakes every idle process for it. */
const EVENT_LOOP_SAMPLE_MS = 100;

/** Memory, processor time and event loop of the process; once a registry, which two apps of one process may share. */
export function collectProcessMetrics(register: Registry): void {
  if (register.getSingleMetric(PROCESS_METRIC) !== undefined) return;
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
}

/** Seconds, for commits and slices. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the database knows, asked for at each scrape; undefined while it does not. */
export interface BooksState {
  /** Slices with events that no run has covered yet. */
  dirtySlices(): Promise<number | undefined>;
  /** End of the last settled day, an instant in ms. */
  settledUntilMs(): Promise<number | undefined>;
}

const UNKNOWN: BooksState = { dirtySlices: async () => undefined, settledUntilMs: async () => undefined };

/** Of the batch service: runs and the money that they post. */
export function createRunMetrics(state: BooksState = UNKNOWN) {
  const registry = new Registry();
  const registers = [registry];
  gaugeOf(
    registry,
    'playbill_dirty_slices',
    'Slices of days with events that no run has covered yet',
    state.dirtySlices,
  );
  gaugeOf(registry, 'playbill_settled_until_seconds', 'End of the last settled day, Unix time', async () => {
    const ms = await state.settledUntilMs();
    return ms === undefined ? undefined : ms / 1_000;
  });
  return {
    registry,
    rows: new Counter({
      name: 'playbill_run_rows_total',
      help: 'Rows that finished slices have read, by phase',
      labelNames: ['phase'],
      registers,
    }),
    slices: new Counter({
      name: 'playbill_run_slices_total',
      help: 'Slices by phase and how they ended on this replica: done, failed, fenced (another had taken it over)',
      labelNames: ['phase', 'outcome'],
      registers,
    }),
    sliceSeconds: new Histogram({
      name: 'playbill_run_slice_seconds',
      help: 'Time that a slice takes on this replica',
      labelNames: ['phase'],
      buckets: SECONDS,
      registers,
    }),
    takeovers: new Counter({
      name: 'playbill_run_lease_takeovers_total',
      help: 'Slices that were begun here after their first worker had gone or failed',
      labelNames: ['phase'],
      registers,
    }),
    postings: new Counter({
      name: 'playbill_postings_total',
      help: 'Postings by cause: first, or an adjustment',
      labelNames: ['cause'],
      registers,
    }),
    postedWon: new Counter({
      name: 'playbill_posted_won_total',
      help: 'Won posted, without its sign, by cause and sign',
      labelNames: ['cause', 'sign'],
      registers,
    }),
    differences: new Gauge({
      name: 'playbill_reconciliation_differences',
      help: 'Differences that the latest reconciliation on this replica has found',
      registers,
    }),
  };
}

export type RunMetrics = ReturnType<typeof createRunMetrics>;

/** A gauge that is absent while its value is not known. */
function gaugeOf(registry: Registry, name: string, help: string, read: () => Promise<number | undefined>): void {
  new Gauge({
    name,
    help,
    // Without a label it would be 0 from the start.
    labelNames: ['from'],
    registers: [registry],
    async collect() {
      this.reset();
      const value = await read().catch(() => undefined);
      if (value !== undefined) this.set({ from: 'database' }, value);
    },
  });
}

/** Of the watch-history service. */
export function createIngestMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    events: new Counter({
      name: 'playbill_ingest_events_total',
      help: 'Watch events by outcome (accepted, duplicate, rejected) and the reason of it',
      labelNames: ['outcome', 'reason'],
      registers,
    }),
    commitEvents: new Histogram({
      name: 'playbill_ingest_commit_events',
      help: 'Events that one commit holds',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'playbill_ingest_commit_seconds',
      help: 'Time from the start of a commit to its end, with its repetitions',
      buckets: SECONDS,
      registers,
    }),
  };
}

export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

/** Of the report service. */
export function createMailMetrics() {
  const registry = new Registry();
  return {
    registry,
    mails: new Counter({
      name: 'playbill_mails_total',
      help: 'Attempts to send a mail by what became of it: sent, retried, failed',
      labelNames: ['outcome'],
      registers: [registry],
    }),
  };
}

export type MailMetrics = ReturnType<typeof createMailMetrics>;
