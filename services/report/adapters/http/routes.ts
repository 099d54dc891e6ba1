import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { DomainError, type IsoWeek, latestPeriodOver, weekOf } from '#domain';
import { nameOf, principalOf, requireOperator, requireUser, userOf, type Verifier } from '#lib/auth';
import { statement as contract, expressPath, weekField } from '#lib/contract';
import { isTransient, NoReaderError } from '#lib/database';
import { Problem, parseOrRefuse } from '#lib/http';
import { statementCsv } from '../../domain/csv.js';
import type { Statement } from '../../domain/statement.js';
import { failedMails, findMail, type MailView, mailCounts, replayMails } from '../../repositories/mail-repository.js';
import { findRun, type StatementRun } from '../../repositories/run-repository.js';
import type { Context } from '../../usecases/context.js';
import { type StatementResult, statementFor } from '../../usecases/make-statements.js';
import { requestMail } from '../../usecases/request-mail.js';
import { actOnSchedule, notReady, requestStatements } from '../../usecases/statement-runs.js';
import type { NotReady } from '../../usecases/week-sources.js';

export interface RouteOptions {
  readonly context: Context;
  readonly verifier: Verifier;
}

const BODY_LIMIT = '64kb';
const FAILED_MAILS_MAX = 1_000;

/** Statements and mails for creators, for operators, and for the schedule. */
export function addRoutes(app: Express, { context, verifier }: RouteOptions): void {
  const router = express.Router();
  const json = express.json({ limit: BODY_LIMIT });
  const user = requireUser(verifier);
  const operator = requireOperator(verifier);
  router.get(expressPath(contract.weeklyStatement), user, getStatement(context));
  router.post(expressPath(contract.mailBill), user, json, postMail(context));
  router.get(expressPath(contract.getMail), user, getMail(context));
  router.post(expressPath(contract.makeStatements), operator, json, postStatements(context));
  router.get('/internal/statement-runs/:runId', operator, getRun(context));
  router.get('/internal/mails/failed', operator, getFailedMails(context));
  router.post('/internal/mails/replay', operator, json, postReplay(context));
  router.post('/cron-statements', async (_req, res) => {
    await actOnSchedule(context);
    res.status(200).end();
  });
  app.use(router);
}

/** A dependency that is away, or a rule that the request breaks. */
export function translateError(error: unknown): Problem | undefined {
  if (error instanceof NoReaderError || isTransient(error)) {
    return new Problem('UNAVAILABLE', { detail: 'The database cannot be reached.', retryAfterSeconds: 1 });
  }
  if (error instanceof DomainError) {
    const field = error.field ?? '';
    return new Problem('INVALID', { detail: error.message, errors: [{ field, message: error.message }] });
  }
  return undefined;
}

function getStatement(context: Context): RequestHandler {
  return async (req, res) => {
    const { week = lastWeek(context) } = parseOrRefuse(contract.weeklyStatement.request.query, req.query);
    const type = acceptedType(req);
    const result = await statementFor(context, { creatorId: userOf(res).userId, week });
    if (result.kind !== 'statement') throw refusalOf(result, week);
    await sendStatement(req, res, { statement: result.statement, type, context });
  };
}

/** The week that was over last. */
function lastWeek(context: Context): IsoWeek {
  return weekOf(latestPeriodOver('weekly', context.now()).from);
}

const TYPES = ['application/json', 'text/csv', 'application/pdf'] as const;
type StatementType = (typeof TYPES)[number];

/** @throws Problem NOT_ACCEPTABLE when none of the three forms is wanted */
function acceptedType(req: Request): StatementType {
  const type = req.accepts(...TYPES);
  if (type === false) throw new Problem('NOT_ACCEPTABLE', { detail: `There is ${TYPES.join(', ')}.` });
  return type as StatementType;
}

interface Sending {
  readonly statement: Statement;
  readonly type: StatementType;
  readonly context: Context;
}

/** All forms have the same ETag: they are of one content. */
async function sendStatement(req: Request, res: Response, { statement, type, context }: Sending): Promise<void> {
  const { content, hash } = statement;
  res.set({ etag: `"${hash}"`, vary: 'Accept', 'cache-control': 'private, no-cache' });
  if (isKnown(req.get('if-none-match'), hash)) return void res.status(304).end();
  if (type === 'application/json') return void res.json({ ...content, contentHash: hash });
  const name = `playbill-${content.week}-r${content.revision}`;
  if (type === 'text/csv') {
    res.type('text/csv; charset=utf-8').attachment(`${name}.csv`).send(statementCsv(statement));
    return;
  }
  const pdf = await context.renderPdf(statement);
  res.set('content-disposition', `inline; filename="${name}.pdf"`).type('application/pdf').send(pdf);
}

function isKnown(header: string | undefined, hash: string): boolean {
  return (header ?? '').split(',').some((tag) => ['*', `"${hash}"`, `W/"${hash}"`].includes(tag.trim()));
}

function postMail(context: Context): RequestHandler {
  return async (req, res) => {
    const { week = lastWeek(context) } = parseOrRefuse(contract.mailBill.request.body, req.body ?? {});
    const result = await requestMail(context, { creatorId: userOf(res).userId, week });
    if (result.kind !== 'mail') throw refusalOf(result, week);
    res.status(202).json({ mailId: result.mail.mailId, state: result.mail.state });
  };
}

function getMail(context: Context): RequestHandler {
  return async (req, res) => {
    const { mailId } = parseOrRefuse(contract.getMail.request.params, req.params);
    const mail = await findMail(context.database.primary, mailId);
    // Another creator's mail is not told from one that is not there.
    if (mail === undefined || mail.creatorId !== userOf(res).userId) {
      throw new Problem('NOT_FOUND', { detail: `You have no mail ${mailId}.` });
    }
    res.json(showMail(mail));
  };
}

function showMail(mail: MailView) {
  return {
    mailId: mail.mailId,
    week: mail.week,
    revision: mail.revision,
    state: mail.state,
    attempts: mail.attempts,
    ...(mail.failure === null ? {} : { failure: mail.failure }),
    ...(mail.lastError === null ? {} : { lastError: mail.lastError }),
  };
}

function postStatements(context: Context): RequestHandler {
  return async (req, res) => {
    const { week } = parseOrRefuse(contract.makeStatements.request.body, req.body ?? {});
    const reason = await notReady(context, week);
    // The Top 5 is a matter of seconds: the run waits for it.
    if (reason !== undefined && reason !== 'TOP_PENDING') throw refusalOf({ kind: 'not-ready', reason }, week);
    res.status(202).json(showRun(await requestStatements(context, week, nameOf(principalOf(res)))));
  };
}

function getRun(context: Context): RequestHandler {
  return async (req, res) => {
    const run = await findRun(context.database.primary, String(req.params.runId));
    if (run === undefined) throw new Problem('NOT_FOUND', { detail: 'There is no such run of statements.' });
    res.json({ ...showRun(run), mails: await mailCounts(context.database.primary, run.week) });
  };
}

function showRun(run: StatementRun) {
  const { runId, week, state, creators, made, error } = run;
  return { runId, week, state, creators, made, ...(error === null ? {} : { error }) };
}

function getFailedMails(context: Context): RequestHandler {
  return async (req, res) => {
    const { week } = parseOrRefuse(z.object({ week: weekField.optional() }), req.query);
    const mails = await failedMails(context.database.primary, week, FAILED_MAILS_MAX);
    res.json({ items: mails.map((mail) => ({ ...showMail(mail), creatorId: String(mail.creatorId) })) });
  };
}

const replayRequest = z.object({ mailIds: z.array(z.string().min(1).max(64)).min(1).max(FAILED_MAILS_MAX) });

function postReplay(context: Context): RequestHandler {
  return async (req, res) => {
    const { mailIds } = parseOrRefuse(replayRequest, req.body ?? {});
    const replayed = await replayMails(context.database.primary, mailIds);
    context.wake();
    res.json({ ok: true, replayed });
  };
}

type Refused = Exclude<StatementResult, { readonly kind: 'statement' }>;

function refusalOf(result: Refused, week: string): Problem {
  if (result.kind === 'no-activity') {
    return new Problem('NOT_FOUND', { detail: `You have no statement for ${week}: nothing of yours was watched.` });
  }
  return REFUSALS[result.reason](week);
}

const REFUSALS: Readonly<Record<NotReady, (week: string) => Problem>> = {
  NOT_OVER: (week) => new Problem('WEEK_NOT_OVER', { detail: `${week} is not over yet.` }),
  NOT_SETTLED: (week) => new Problem('WEEK_NOT_SETTLED', { detail: `Not all days of ${week} are settled yet.` }),
  TOP_PENDING: (week) =>
    new Problem('UNAVAILABLE', { detail: `The Top 5 of ${week} is being made.`, retryAfterSeconds: 2 }),
};
