import { z } from 'zod';
import {
  count,
  countField,
  day,
  dayField,
  eventIdField,
  id,
  instant,
  opaqueId,
  pageOf,
  viewerField,
  won,
} from './fields.js';
import { defineRoute, type Route } from './route.js';

const OPS = { appId: 'batch', auth: 'operator' } as const satisfies Partial<Route>;

const RANGE_DAYS_MAX = 400;
const DAY_MS = 86_400_000;
const EVENT_IDS_MAX = 10_000;
const REASON_LENGTH_MAX = 200;

const job = z.enum(['daily', 'statistics', 'settlement']);

/** `{date}`, or `{from, to}`: a range of days, both ends inclusive. */
export const runRequest = z
  .object({ date: dayField.optional(), from: dayField.optional(), to: dayField.optional(), job: job.default('daily') })
  .strict()
  .transform((body, ctx) => {
    const [from, to] = [body.date ?? body.from, body.date ?? body.to];
    const isRange = body.from !== undefined && body.to !== undefined && body.from <= body.to;
    if (from === undefined || to === undefined || (body.date === undefined) !== isRange) {
      ctx.addIssue({ code: 'custom', path: ['date'], message: 'give date, or from and to with from ≤ to' });
      return z.NEVER;
    }
    if ((Date.parse(to) - Date.parse(from)) / DAY_MS >= RANGE_DAYS_MAX) {
      ctx.addIssue({ code: 'custom', path: ['to'], message: `at most ${RANGE_DAYS_MAX} days` });
      return z.NEVER;
    }
    return { from, to, job: body.job };
  });

const run = z.looseObject({
  runId: z.string(),
  job,
  day,
  state: z.enum(['queued', 'running', 'completed', 'failed', 'held']),
  error: z.string().optional(),
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  rowsRead: count,
  rowsPerSecond: count,
  partitions: z.object({ total: count, done: count, running: count, failed: count }),
  replicas: z.array(z.object({ name: z.string(), partitions: count, rows: count })),
});

const runParams = z.object({ runId: opaqueId });

export const requestRun = defineRoute({
  ...OPS,
  method: 'post',
  path: '/v1/ops/runs',
  summary: 'Run days: statistics, settlement or both',
  request: { body: runRequest },
  responses: {
    202: { description: 'accepted', body: z.looseObject({ runId: z.string() }) },
    200: { description: 'done already, and unchanged: the finished run', body: run },
  },
  refusals: ['RUN_ACTIVE', 'SETTLEMENT_GAP', 'STATISTICS_MISSING', 'DAY_NOT_OVER'],
});

export const listRuns = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/runs',
  summary: 'Runs, the newest first',
  request: {
    query: z.object({
      cursor: z
        .string()
        .regex(/^[1-9][0-9]{0,14}$/, 'Must be a nextCursor.')
        .transform(Number)
        .optional(),
    }),
  },
  responses: { 200: { description: 'a page', body: pageOf(run) } },
});

export const getRun = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/runs/{runId}',
  summary: 'A run and how far it is',
  request: { params: runParams },
  responses: { 200: { description: 'the run', body: run } },
  refusals: ['NOT_FOUND'],
});

export const streamRun = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/runs/{runId}/events',
  summary: "A run's progress as server-sent events, until it ends",
  request: { params: runParams },
  responses: { 200: { description: 'one event a change', alsoAs: ['text/event-stream'] } },
  refusals: ['NOT_FOUND'],
});

export const reconciliation = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/reconciliation',
  summary: 'Prove a day: raw events, statistics, postings and ledger against each other',
  request: { query: z.object({ date: dayField }) },
  responses: {
    200: {
      description: 'the sums of each, and where they differ',
      body: z.looseObject({
        day,
        events: count,
        counted: count,
        excluded: count,
        statistics: z.looseObject({}),
        postings: z.looseObject({}),
        ledger: z.looseObject({}),
        differences: z.array(z.looseObject({})),
      }),
    },
  },
  // It reads a whole day.
  timeoutMs: 300_000,
});

export const reconcileBooks = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/reconciliation/books',
  summary: 'Prove what no single day shows: no day missing, every chain and balance from beginning to end',
  responses: {
    200: {
      description: 'the books, the days to prove one by one, and where records differ',
      body: z.looseObject({
        openedOn: day.nullable(),
        lastSettledDay: day.nullable(),
        days: z.array(day),
        open: z.array(day),
        differences: z.array(z.looseObject({})),
      }),
    },
  },
  // It reads the whole ledger.
  timeoutMs: 300_000,
});

const reason = z.string().trim().min(1).max(REASON_LENGTH_MAX);
export const holdBody = z.object({ date: dayField, reason }).strict();

const hold = z.object({ day, reason: z.string(), heldBy: z.string(), heldAt: instant });

export const listHolds = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/holds',
  summary: 'Days that are held before their settlement',
  responses: { 200: { description: 'the holds', body: z.object({ items: z.array(hold) }) } },
});

export const holdDay = defineRoute({
  ...OPS,
  method: 'post',
  path: '/v1/ops/holds',
  summary: 'Hold a day: its settlement waits, and that of the days after it',
  request: { body: holdBody },
  responses: { 201: { description: 'held', body: hold } },
  refusals: ['RUN_ACTIVE'],
});

export const releaseDay = defineRoute({
  ...OPS,
  method: 'post',
  path: '/v1/ops/holds/release',
  summary: 'Release a held day; a run that waited for it goes on',
  request: { body: holdBody },
  responses: { 200: { description: 'released', body: z.object({ day, runId: z.string().nullable() }) } },
  refusals: ['DAY_NOT_HELD'],
});

export const listAudit = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/audit',
  summary: 'What operators did, the newest first',
  request: { query: z.object({ cursor: z.uuid().optional() }) },
  responses: {
    200: {
      description: 'a page',
      body: pageOf(
        z.object({
          id: z.string(),
          at: instant,
          actor: z.string(),
          action: z.string(),
          subject: z.string(),
          before: z.unknown(),
          after: z.unknown(),
        }),
      ),
    },
  },
});

/** `{eventIds}`, of any day unless `from` and `to` say which, or `{viewer, from, to}`: days, both ends inclusive. */
export const revokeBody = z
  .object({
    eventIds: z.array(eventIdField).min(1).max(EVENT_IDS_MAX).optional(),
    viewer: viewerField.optional(),
    from: dayField.optional(),
    to: dayField.optional(),
    reason,
  })
  .strict()
  .superRefine(({ eventIds, viewer, from, to }, ctx) => {
    const refuse = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message });
    if ((eventIds === undefined) === (viewer === undefined)) refuse('eventIds', 'give either eventIds or viewer');
    if ((from === undefined) !== (to === undefined)) refuse(from === undefined ? 'from' : 'to', 'give both or neither');
    if (viewer !== undefined && from === undefined) refuse('from', 'give the days of the viewer');
    if (from !== undefined && to !== undefined && from > to) refuse('to', 'must not be before from');
  });

export const revokeEvents = defineRoute({
  auth: 'operator',
  appId: 'watch-history',
  method: 'post',
  path: '/v1/ops/events/revoke',
  summary: 'Revoke events; their days are run again and adjusted',
  request: {
    body: revokeBody,
  },
  responses: {
    202: { description: 'accepted; the audit log shows what came of it', body: z.object({ revocationId: z.uuid() }) },
  },
  bodyBytesMax: 1024 * 1024,
});

const price = z.union([z.number(), z.string()]).meta({ description: 'won, with at most one decimal' });
const tiers = z.array(z.object({ from: countField, unitPrice: price }));

/** A tariff as JSON carries it; the domain's `parseTariff` checks its rules. */
export const tariffBody = z.object({ effectiveFrom: z.string(), rounding: z.string(), view: tiers, ad: tiers });

const shownTiers = z.array(z.object({ from: count, unitPrice: z.number().min(0) }));
const tariff = z.object({
  version: z.int().min(1),
  effectiveFrom: day,
  rounding: z.enum(['line', 'cumulative']),
  view: shownTiers,
  ad: shownTiers,
  createdAt: instant,
  createdBy: z.string(),
});

const PREVIEW_DAYS_MAX = 62;
export const previewBody = z
  .object({ tariff: tariffBody, from: dayField, to: dayField })
  .refine(({ from, to }) => from <= to, { path: ['to'], message: 'must not be before from' })
  .refine(({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY_MS < PREVIEW_DAYS_MAX, {
    path: ['to'],
    message: `at most ${PREVIEW_DAYS_MAX} days`,
  });
const amounts = { current: won, preview: won, difference: won };

export const listTariffs = defineRoute({
  ...OPS,
  method: 'get',
  path: '/v1/ops/tariffs',
  summary: 'All tariffs',
  responses: { 200: { description: 'the tariffs', body: z.object({ items: z.array(tariff) }) } },
});

export const createTariff = defineRoute({
  ...OPS,
  method: 'post',
  path: '/v1/ops/tariffs',
  summary: 'Make a tariff that takes effect on a day to come',
  request: { body: tariffBody },
  responses: { 201: { description: 'the tariff with its version', body: tariff } },
  refusals: ['TARIFF_CLOSED_DAY', 'TARIFF_OVERLAP'],
});

export const previewTariff = defineRoute({
  ...OPS,
  method: 'post',
  path: '/v1/ops/tariffs/preview',
  summary: 'What each creator would have been paid by a tariff on real days',
  request: { body: previewBody },
  responses: {
    200: {
      description: 'the difference per creator, the largest first',
      body: z.object({
        from: day,
        to: day,
        days: z.array(day),
        postings: count,
        totals: z.object(amounts),
        creators: z.array(z.object({ creatorId: id, ...amounts })),
        omitted: count,
      }),
    },
  },
  timeoutMs: 120_000,
});

/** `trial`: says what would be dropped, and drops nothing. */
export const retentionBody = z
  .object({ keepDays: z.int().min(1).max(36_500), trial: z.boolean().default(false) })
  .strict();

export const dropOldDays = defineRoute({
  ...OPS,
  method: 'post',
  path: '/v1/ops/retention',
  summary: 'Drop the raw events of settled days that are older; money and statistics stay',
  request: { body: retentionBody },
  responses: {
    200: {
      description: 'the days that were dropped, or would be',
      body: z.object({
        keptFrom: day,
        trial: z.boolean(),
        days: z.array(z.object({ day, events: count })),
      }),
    },
  },
  refusals: ['RAW_DAY_NEEDED', 'RETENTION_TOO_SHORT'],
  timeoutMs: 120_000,
});

export const opsRoutes = [
  requestRun,
  listRuns,
  getRun,
  streamRun,
  reconciliation,
  reconcileBooks,
  dropOldDays,
  listHolds,
  holdDay,
  releaseDay,
  listAudit,
  revokeEvents,
  listTariffs,
  createTariff,
  previewTariff,
];
