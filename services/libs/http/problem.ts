import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from '#lib/logging';
import { ERROR_CODES, type ErrorCode } from './codes.js';

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface ProblemOptions {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Seconds for the header Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Extension members of the problem document. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A refusal with a stable code; the table of codes gives its status and title. */
export class Problem extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly options: ProblemOptions = {},
  ) {
    super(`${code}: ${options.detail ?? ERROR_CODES[code].title}`);
  }
}

/** A refusal as HTTP has it. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The RFC 9457 document of a refusal, and what belongs to it. */
export function answerOf(problem: Problem, traceId: string): ProblemAnswer {
  const { status, title } = ERROR_CODES[problem.code];
  const { detail, errors, retryAfterSeconds, extra } = problem.options;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({
      type: `https://playbill.dev/problems/${problem.code.toLowerCase().replaceAll('_', '-')}`,
      title,
      status,
      detail: detail ?? title,
      code: problem.code,
      traceId,
      ...(errors === undefined ? {} : { errors }),
      ...extra,
    }),
  };
}

/** Answers with an RFC 9457 document. */
export function sendProblem(res: Response, problem: Problem): void {
  const { status, headers, body } = answerOf(problem, res.locals.traceId ?? '');
  res.status(status).set(headers).send(body);
}

/** Answers every path that no route took. */
export const notFound: RequestHandler = (req) => {
  throw new Problem('NOT_FOUND', { detail: `no ${req.method} ${req.path} here` });
};

interface ParserError {
  /** What the parser says, e.g. `entity.too.large`. */
  readonly type?: string;
  /** The client's fault: all that is said of a body that cannot be decompressed. */
  readonly expose?: boolean;
  readonly status?: number;
}

/** The one place where a thrown error becomes an answer; what is not a Problem is logged and hidden. */
export function answerErrors(logger: Logger, translate: (error: unknown) => Problem | undefined): ErrorRequestHandler {
  return (error: unknown, req, res, _next) => {
    const problem = error instanceof Problem ? error : (translate(error) ?? fromParser(error as ParserError));
    if (res.headersSent) {
      logger.error({ err: error, path: req.path }, 'failed after the answer had begun');
      res.destroy();
      return;
    }
    if (problem === undefined) {
      logger.error({ err: error, method: req.method, path: req.path, traceId: res.locals.traceId }, 'request failed');
    }
    sendProblem(res, problem ?? new Problem('INTERNAL'));
  };
}

function fromParser(error: ParserError): Problem | undefined {
  if (error?.type === 'entity.too.large') return new Problem('BODY_TOO_LARGE');
  const status = error?.status ?? 0;
  if ((typeof error?.type === 'string' || error?.expose === true) && status >= 400 && status < 500) {
    return new Problem('UNREADABLE');
  }
  if (error instanceof URIError) return new Problem('UNREADABLE');
  return undefined;
}
