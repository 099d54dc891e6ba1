import { setTimeout as pause } from 'node:timers/promises';
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

/** What waits in an outbox. */
export interface OutboxState {
  readonly rows: number;
  readonly oldestSeconds: number;
}

/** The outboxes of a service, by their tables. */
export type Outboxes = Readonly<Record<string, () => Promise<OutboxState>>>;

/** Of the batch service: runs and the money that they post. */
export function createRunMetrics(state: BooksState = UNKNOWN, outboxes: Outboxes = {}) {
  const registry = new Registry();
  const registers = [registry];
  addReadGauge(registry, {
    name: 'playbill_dirty_slices',
    help: 'Slices of days with events that no run has covered yet',
    label: 'from',
    readings: { database: state.dirtySlices },
  });
  addReadGauge(registry, {
    name: 'playbill_settled_until_seconds',
    help: 'End of the last settled day, Unix time',
    label: 'from',
    readings: {
      async database() {
        const ms = await state.settledUntilMs();
        return ms === undefined ? undefined : ms / 1_000;
      },
    },
  });
  addOutboxes(registry, outboxes);
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

type Reading = () => Promise<number | undefined>;

/** Of a gauge whose values are read at each scrape. */
interface ReadGauge {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** By the label's value. */
  readonly readings: Readonly<Record<string, Reading>>;
}

/** A scraper waits some seconds for all of our metrics, and takes us for dead without an answer. */
const READING_MS_MAX = 2_000;

/** A gauge whose values are absent while they are not known, or not in time. */
function addReadGauge(registry: Registry, { name, help, label, readings }: ReadGauge): void {
  const values = Object.entries(readings).map(([value, read]) => ({ value, read: oneAtATime(read) }));
  new Gauge({
    name,
    help,
    // Without a label it would be 0 from the start.
    labelNames: [label],
    registers: [registry],
    async collect() {
      this.reset();
      const set = async ({ value, read }: (typeof values)[number]) => {
        const late = pause(READING_MS_MAX, undefined, { ref: false });
        const number = await Promise.race([read().catch(() => undefined), late]);
        if (number !== undefined) this.set({ [label]: value }, number);
      };
      await Promise.all(values.map(set));
    },
  });
}

/** Whoever asks while it is being read gets the same answer: scrapes of a database that hangs do not pile up. */
function oneAtATime<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

function addOutboxes(registry: Registry, outboxes: Outboxes): void {
  const states = Object.entries(outboxes).map(([table, read]) => ({ table, read: oneAtATime(read) }));
  const readingsOf = (pick: (state: OutboxState) => number) =>
    Object.fromEntries(states.map(({ table, read }) => [table, async () => pick(await read())]));
  addReadGauge(registry, {
    name: 'playbill_outbox_rows',
    help: 'Rows that wait in an outbox, counted up to 1,000',
    label: 'outbox',
    readings: readingsOf(({ rows }) => rows),
  });
  addReadGauge(registry, {
    name: 'playbill_outbox_oldest_seconds',
    help: 'Age of the oldest row that waits in an outbox; 0 when none does',
    label: 'outbox',
    readings: readingsOf(({ oldestSeconds }) => oldestSeconds),
  });
}

/**
 * Of a service that takes events.
 * @param waiting how many dead letters wait for an operator, by consumer
 */
export function createDeadLetterMetrics(waiting: Readonly<Record<string, Reading>>): Registry {
  const registry = new Registry();
  addReadGauge(registry, {
    name: 'playbill_dead_letters_waiting',
    help: 'Events that failed for good and wait for an operator, counted up to 1,000',
    label: 'consumer',
    readings: waiting,
  });
  return registry;
}

/** Of the watch-history service. */
export function createIngestMetrics(outboxes: Outboxes = {}) {
  const registry = new Registry();
  const registers = [registry];
  addOutboxes(registry, outboxes);
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

/**
 * Of the report service.
 * @param waiting how many mails wait, by what for: to be sent, or for an operator
 */
export function createMailMetrics(outboxes: Outboxes = {}, waiting: Readonly<Record<string, Reading>> = {}) {
  const registry = new Registry();
  addOutboxes(registry, outboxes);
  addReadGauge(registry, {
    name: 'playbill_mails_waiting',
    help: 'Mails that are queued or being sent, and mails of the last 7 days in doubt; counted up to 10,000',
    label: 'state',
    readings: waiting,
  });
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
