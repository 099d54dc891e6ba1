import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
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
  // An answer that is older than it should be says so.
  'warning',
  'www-authenticate',
];
const SOCKETS_MAX = 512;
/** Answers up to this size are passed on in one piece. */
const WHOLE_BYTES_MAX = 256 * 1024;
const RETRY_AFTER_SECONDS = 1;
/** How long a request that has not arrived is tried: longer than a sidecar that ends is still found by its name. */
const REACH_MS = 2_500;
/** How often at least: a sidecar's own attempts may have taken all that time. */
const ASKS_MIN = 2;
const REACH_PAUSE_MS = 100;

interface Asking {
  readonly route: Route;
  readonly req: Request;
  readonly res: Response;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

/** Passes requests on to services by this app's sidecar, and their answers back. */
export class Forwarder {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, scheduling: 'lifo' });
  readonly #streams = new Set<Response>();
  #isEnding = false;

  constructor(private readonly options: ForwarderOptions) {}

  /**
   * The last handler of a route: the request's body has been read and its token checked.
   * @param admission lets the request in, or refuses it
   */
  handlerOf(route: Route, admission?: Pick<Admission, 'work'>): RequestHandler {
    return async (req, res) => {
      const ask = () => this.#reach(route, req, res);
      const upstream = await (admission === undefined ? ask() : admission.work(ask));
      await this.#answer(upstream, res);
    };
  }

  /** Ends streams of events, those that begin from now on as well: their readers ask again, and another gateway. */
  endStreams(): void {
    this.#isEnding = true;
    for (const res of this.#streams) res.end();
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * Asks, and again while the request has not arrived: the replica that was chosen ends, and the next choice is another.
   * @returns the service's answer when its headers have come
   * @throws Problem UNAVAILABLE when the service was not reached, or does not answer in time
   */
  async #reach(route: Route, req: Request, res: Response): Promise<IncomingMessage> {
    const body = Buffer.isBuffer(req.body) ? req.body : undefined;
    const headers = this.#headersFor(req, res, body);
    const startMs = performance.now();
    for (let asks = 1; ; asks++) {
      const upstream = await this.#ask({ route, req, res, headers, body });
      if (isOfService(upstream)) return upstream;
      const reason = await readStart(upstream);
      const isOver = res.destroyed || (asks >= ASKS_MIN && performance.now() - startMs > REACH_MS);
      if (!hasNotArrived(reason) || isOver) {
        const { statusCode: status } = upstream;
        this.options.logger.warn({ appId: route.appId, status, reason }, 'a service was not reached');
        throw unavailable('The service cannot be reached at the moment.');
      }
      await pause(REACH_PAUSE_MS);
    }
  }

  #ask({ route, req, res, headers, body }: Asking): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const upstream = request({
        host: '127.0.0.1',
        port: this.options.sidecarPort,
        agent: this.#agent,
        method: route.method.toUpperCase(),
        path: `/v1.0/invoke/${route.appId}/method${pathOf(route, req)}`,
        headers,
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
      this.#follow(res);
    }
    // A client that goes, or a service that dies, ends both sides.
    if (Number(upstream.headers['content-length']) <= WHOLE_BYTES_MAX) await this.#answerWhole(upstream, res);
    else await pipeline(upstream, res).catch(() => undefined);
  }

  #follow(stream: Response): void {
    if (this.#isEnding) return void stream.end();
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
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

/**
 * No connection could be made, to the service's sidecar or from there to the service; or the latter does not serve yet; or
 * it was sent a part of the body: when an attempt breaks off within one, Dapr repeats only what it had read until then.
 */
const NOT_ARRIVED = [
  /connect: connection refused/,
  /app is not in a healthy state/,
  /app channel is not initialized/,
  /http: ContentLength=\d+ with Body length \d+/,
];

/**
 * Whether the sidecar says that the service has not heard of the request: a replica ends or begins. Such a request may go
 * out again even where a repetition would not be harmless. What is said is of the last attempt: retries by a policy come
 * before it only where they are harmless, and of its own retries the sidecar tells; one of these may have arrived.
 */
function hasNotArrived(reason: string): boolean {
  return NOT_ARRIVED.some((text) => text.test(reason)) && !/after [1-9]\d* retries/.test(reason);
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
