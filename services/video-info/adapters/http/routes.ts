import express, { type Express, type RequestHandler, type Response } from 'express';
import { DomainError, formatInstant, type Period, type PeriodKind, periodOf } from '#domain';
import { requireUser, userOf, type Verifier } from '#lib/auth';
import { expressPath, info } from '#lib/contract';
import { NoReaderError } from '#lib/database';
import { Problem, parseOrRefuse } from '#lib/http';
import { traceIdOfRun } from '#lib/telemetry';
import { type BillView, bill, pageOf } from '../../usecases/bill.js';
import { type ExplainedPosting, explain } from '../../usecases/explain.js';
import { balance, ledger } from '../../usecases/ledger.js';
import { type TopFiveOptions, type TopFiveView, topFive } from '../../usecases/top-five.js';
import type { Answer } from '../../usecases/versioned-reads.js';

export interface RouteOptions extends TopFiveOptions {
  readonly verifier: Verifier;
  readonly billPageVideos: number;
}

const TOP_ROUTES = { daily: info.dailyTop, weekly: info.weeklyTop, monthly: info.monthlyTop } as const;
const BILL_ROUTES = { daily: info.dailyBill, weekly: info.weeklyBill, monthly: info.monthlyBill } as const;
const KINDS = ['daily', 'weekly', 'monthly'] as const satisfies readonly PeriodKind[];

/** The calls of /v1/info that read batch's results. */
export function addRoutes(app: Express, options: RouteOptions): void {
  const router = express.Router();
  const user = requireUser(options.verifier);
  for (const kind of KINDS) {
    router.get(expressPath(TOP_ROUTES[kind]), topFiveRoute(options, kind));
    router.get(expressPath(BILL_ROUTES[kind]), user, billRoute(options, kind));
  }
  router.get(expressPath(info.explainBill), user, explainRoute(options));
  router.get(expressPath(info.balance), user, balanceRoute(options));
  router.get(expressPath(info.ledger), user, ledgerRoute(options));
  app.use(router);
}

/** A database that is gone, or a rule of the calendar that the request breaks. */
export function translateError(error: unknown): Problem | undefined {
  if (error instanceof NoReaderError) {
    return new Problem('UNAVAILABLE', { detail: 'No database can be read from.', retryAfterSeconds: 1 });
  }
  if (error instanceof DomainError) {
    const field = error.field ?? '';
    return new Problem('INVALID', { detail: error.message, errors: [{ field, message: error.message }] });
  }
  return undefined;
}

function topFiveRoute(options: RouteOptions, kind: PeriodKind): RequestHandler {
  return async (req, res) => {
    const query = parseOrRefuse(TOP_ROUTES[kind].request.query, req.query);
    send(res, await topFive(options, kind, periodIn(kind, query)), showTopFive);
  };
}

function billRoute(options: RouteOptions, kind: PeriodKind): RequestHandler {
  return async (req, res) => {
    const query = parseOrRefuse(BILL_ROUTES[kind].request.query, req.query);
    const after = idCursor(query.cursor);
    const creatorId = userOf(res).userId;
    const answer = await bill(options, { creatorId, kind, period: periodIn(kind, query) });
    send(res, answer, (view) => showBill(view, { after, size: options.billPageVideos }));
  };
}

function explainRoute({ reads }: RouteOptions): RequestHandler {
  return async (req, res) => {
    const { date, videoId } = parseOrRefuse(info.explainBill.request.query, req.query);
    const answer = await explain(reads, { creatorId: userOf(res).userId, videoId, day: date });
    const { value } = answer;
    if (value.kind === 'no-video') throw new Problem('NOT_FOUND', { detail: `There is no video ${videoId}.` });
    if (value.kind === 'not-yours') throw new Problem('FORBIDDEN', { detail: 'Only its creator may see it.' });
    send(res, answer, () => ({ postings: value.postings.map(showPosting) }));
  };
}

function balanceRoute({ reads }: RouteOptions): RequestHandler {
  return async (_req, res) => {
    send(res, await balance(reads, userOf(res).userId), (view) => ({
      currency: 'KRW',
      balance: integer(view.balance),
      entries: integer(view.entries),
      asOf: view.asOfMs === null ? null : formatInstant(view.asOfMs),
    }));
  };
}

function ledgerRoute({ reads }: RouteOptions): RequestHandler {
  return async (req, res) => {
    const { cursor } = parseOrRefuse(info.ledger.request.query, req.query);
    const before = cursor === undefined ? undefined : idCursor(cursor);
    const creatorId = userOf(res).userId;
    send(res, await ledger(reads, { creatorId, before }), ({ entries, next }) => ({
      items: entries.map((entry) => ({
        entry: integer(entry.seq),
        day: entry.eventDay,
        billedOn: entry.billedOn,
        postedAt: formatInstant(entry.postedAtMs),
        videoId: String(entry.videoId),
        kind: entry.kind,
        cause: entry.cause,
        debit: 'platform revenue share',
        credit: `creator:${creatorId}`,
        amount: integer(entry.amount),
        hash: entry.hash,
      })),
      nextCursor: next === null ? null : String(next),
    }));
  };
}

/** Sends an answer. One that only a server could give that is too far behind says so (RFC 9111, warn-code 110). */
function send<T>(res: Response, answer: Answer<T>, show: (value: T) => unknown): void {
  if (answer.stale) res.set('warning', '110 - "Response is Stale"');
  res.json(show(answer.value));
}

interface PeriodQuery {
  readonly date?: string | undefined;
  readonly week?: string | undefined;
  readonly month?: string | undefined;
}

function periodIn(kind: PeriodKind, query: PeriodQuery): Period | undefined {
  const text = query.date ?? query.week ?? query.month;
  return text === undefined ? undefined : periodOf(kind, text);
}

/** A cursor is the id after which a page begins. @throws Problem INVALID for a text that is no cursor of ours */
function idCursor(cursor: string | undefined): bigint {
  if (cursor === undefined) return 0n;
  if (/^[1-9][0-9]{0,18}$/.test(cursor)) return BigInt(cursor);
  const message = 'Must be the nextCursor of an answer.';
  throw new Problem('INVALID', { detail: `cursor: ${message}`, errors: [{ field: 'cursor', message }] });
}

/** @throws Error beyond ±(2^53−1), where a JSON number would not be exact: a defect */
function integer(value: string | bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`${value} is too large for an exact JSON number`);
  return number;
}

function showTopFive(view: TopFiveView): unknown {
  return {
    period: view.period,
    final: view.final,
    asOf: formatInstant(view.asOfMs),
    byViews: view.byViews.map(({ rank, videoId, title, amount }) => ({ rank, videoId, title, views: amount })),
    byPlayTime: view.byPlayTime.map(({ rank, videoId, title, amount }) => ({
      rank,
      videoId,
      title,
      playTimeSeconds: amount,
    })),
  };
}

function showBill(view: BillView, options: { after: bigint; size: number }): unknown {
  const { page, next } = pageOf(view.lines, options);
  const amounts = (of: BillView['totals']) => ({
    views: integer(of.views),
    adViews: integer(of.adViews),
    videoProfit: integer(of.videoProfit),
    adProfit: integer(of.adProfit),
    adjustments: integer(of.adjustments),
    total: integer(of.total),
  });
  return {
    period: view.period,
    final: view.final,
    asOf: formatInstant(view.asOfMs),
    currency: 'KRW',
    totals: amounts(view.totals),
    videos: page.map((line) => ({
      videoId: line.videoId,
      title: line.title,
      excluded: line.excluded,
      ...amounts(line),
    })),
    nextCursor: next === null ? null : String(next),
  };
}

function showPosting(posting: ExplainedPosting): unknown {
  return {
    kind: posting.kind,
    day: posting.eventDay,
    billedOn: posting.billedOn,
    postedAt: formatInstant(posting.postedAtMs),
    cause: posting.cause,
    tariffVersion: posting.tariffVersion,
    from: integer(posting.from),
    to: integer(posting.to),
    slices: posting.slices.map((slice) => ({
      from: integer(slice.from),
      to: integer(slice.to),
      // Won with at most one decimal: the shortest text of the number is exact.
      unitPrice: Number(slice.unitPrice),
      amount: Number(slice.amount),
    })),
    rounding: posting.rounding,
    amount: integer(posting.amount),
    runId: posting.runId,
    traceId: traceIdOfRun(posting.runId),
  };
}
