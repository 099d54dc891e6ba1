import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import { ANSWER_TIMEOUT_MS, type Route } from '#lib/contract';
import { uuidv7 } from '#lib/dapr';
import { Problem, REQUEST_ID_HEADER } from '#lib/http';
import type { Logger } from '#lib/logging';
import type { Admission } from './admission.js';

export interface ForwarderOptions {
  readonly sidecarPort: number;
  readonly sidecarToken: string;
  readonly logger: Logger;
}

/** What a service is told of a request. Whatever else a client sends, an identity above all, stays here. */
const REQUEST_HEADERS = [
  'accept',
  'accept-language',
  'authorization',
  'content-type',
  'if-none-match',
  'x-device-uuid',
];
/** What a client is told of an answer. */
const RESPONSE_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-length',
  'content-type',
  'etag',
  'last-modified',
  'retry-after',
  'vary',
  'www-authenticate',
];
const SOCKETS_MAX = 512;
/** Answers up to this size are passed on in one piece. */
const WHOLE_BYTES_MAX = 256 * 1024;
const RETRY_AFTER_SECONDS = 1;

/** Passes requests on to services by this app's sidecar, and their answers back. */
export class Forwarder {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, scheduling: 'lifo' });

  constructor(private readonly options: ForwarderOptions) {}

  /**
   * The last handler of a route: the request's body has been read and its token checked.
   * @param admission lets the request in, or refuses it
   */
  handlerOf(route: Route, admission?: Pick<Admission, 'work'>): RequestHandler {
    return async (req, res) => {
      const ask = () => this.#ask(route, req, res);
      const upstream = await (admission === undefined ? ask() : admission.work(ask));
      if (isOfService(upstream)) return this.#answer(upstream, res);
      const reason = await readStart(upstream);
      this.options.logger.warn(
        { appId: route.appId, status: upstream.statusCode, reason },
        'a service was not reached',
      );
      throw unavailable('The service cannot be reached at the moment.');
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @returns the answer when its headers have come @throws Problem UNAVAILABLE when they do not come in time */
  #ask(route: Route, req: Request, res: Response): Promise<IncomingMessage> {
    const body = Buffer.isBuffer(req.body) ? req.body : undefined;
    return new Promise((resolve, reject) => {
      const upstream = request({
        host: '127.0.0.1',
        port: this.options.sidecarPort,
        agent: this.#agent,
        method: route.method.toUpperCase(),
        path: `/v1.0/invoke/${route.appId}/method${pathOf(route, req)}`,
        headers: this.#headersFor(req, res, body),
      });
      const timer = setTimeout(() => {
        reject(unavailable('The service did not answer in time.'));
        upstream.destroy();
      }, route.timeoutMs ?? ANSWER_TIMEOUT_MS);
      upstream.once('response', (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      upstream.on('error', (error) => {
        clearTimeout(timer);
        this.options.logger.warn({ err: error, appId: route.appId }, 'the sidecar was not reached');
        reject(unavailable('The service cannot be reached at the moment.'));
      });
      // A client that has gone is not worked for.
      res.once('close', () => upstream.destroy());
      upstream.end(body);
    });
  }

  #headersFor(req: Request, res: Response, body: Buffer | undefined): Record<string, string> {
    const passed = REQUEST_HEADERS.flatMap((name) => {
      const value = req.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    return {
      ...Object.fromEntries(passed),
      'dapr-api-token': this.options.sidecarToken,
      traceparent: res.locals.traceparent,
      [REQUEST_ID_HEADER]: uuidv7(),
      ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    };
  }

  async #answer(upstream: IncomingMessage, res: Response): Promise<void> {
    const status = upstream.statusCode ?? 502;
    res.status(status).set(headersFor(upstream.headers));
    if (!res.hasHeader('cache-control')) res.set('cache-control', 'no-store');
    if (status === 503 && !res.hasHeader('retry-after')) res.set('retry-after', String(RETRY_AFTER_SECONDS));
    const isStream = upstream.headers['content-type']?.startsWith('text/event-stream') === true;
    if (isStream) {
      // It is silent while nothing happens.
      res.req.socket.setTimeout(0);
      res.set('x-accel-buffering', 'no').flushHeaders();
    }
    // A client that goes, or a service that dies, ends both sides.
    if (Number(upstream.headers['content-length']) <= WHOLE_BYTES_MAX) await this.#answerWhole(upstream, res);
    else await pipeline(upstream, res).catch(() => undefined);
  }

  /** A short answer is one write, without the machinery of streams. */
  async #answerWhole(upstream: IncomingMessage, res: Response): Promise<void> {
    const chunks: Buffer[] = [];
    upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
    // What went wrong shows in `complete`.
    upstream.on('error', () => undefined);
    const isWhole = await new Promise<boolean>((resolve) => {
      upstream.once('close', () => resolve(upstream.complete));
    });
    if (isWhole) res.end(Buffer.concat(chunks));
    else res.destroy();
  }
}

/** The path as the contract has it, with the parameters that were checked, and the query as it came. */
function pathOf(route: Route, req: Request): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(req.params[name])));
  const query = req.originalUrl.indexOf('?');
  return query === -1 ? path : path + req.originalUrl.slice(query);
}

function headersFor(headers: IncomingHttpHeaders): Record<string, string> {
  const passed = RESPONSE_HEADERS.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(passed);
}

/** Services refuse by problem documents; any other failure is the sidecar's: no service, no right, an open breaker. */
function isOfService({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode < 400 || headers['content-type']?.startsWith('application/problem+json') === true;
}

const REASON_BYTES_MAX = 2_000;

async function readStart(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) {
    text += String(chunk);
    if (text.length > REASON_BYTES_MAX) break;
  }
  return text.slice(0, REASON_BYTES_MAX);
}

function unavailable(detail: string): Problem {
  return new Problem('UNAVAILABLE', { detail, retryAfterSeconds: RETRY_AFTER_SECONDS });
}
