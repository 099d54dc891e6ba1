import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type Context,
  context,
  defaultTextMapGetter,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Request, RequestHandler } from 'express';

/**
 * Traces by W3C context: taken from each request, kept through everything that is awaited, and passed on with each call
 * to the sidecar. Spans are made and sent only where an endpoint is configured; ids travel always, so that log lines
 * and problem documents of one request can be found together.
 */

export interface TracingOptions {
  readonly service: string;
  readonly replica: string;
  /** Base address of an OTLP/HTTP receiver; without it no span is made. */
  readonly endpoint: string | undefined;
}

export interface Tracing {
  /** Sends what is left. */
  stop(): Promise<void>;
}

const STOP_MS = 1_000;
const propagator = new W3CTraceContextPropagator();

/** To be called once, before anything is traced. */
export async function startTracing({ service, replica, endpoint }: TracingOptions): Promise<Tracing> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (endpoint === undefined) return { stop: async () => undefined };
  // Loaded only where they are used: they cost every process some megabytes.
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': replica }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    async stop() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref());
      await Promise.race([provider.shutdown(), late]).catch(() => undefined);
    },
  };
}

const tracer = () => trace.getTracer('playbill');

export interface SpanOptions {
  readonly attributes?: Attributes;
  /** A traceparent to go on from; by default what is going on now. */
  readonly parent?: string | undefined;
}

/** Does the work as a span of its own; what it throws is noted and thrown. */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const parent = options.parent === undefined ? context.active() : contextOf(options.parent);
  const span = tracer().startSpan(name, { attributes: options.attributes ?? {} }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}

/** Goes on with a trace without a span of its own. */
export function inTrace<T>(traceparent: string | undefined, work: () => T): T {
  return traceparent === undefined ? work() : context.with(contextOf(traceparent), work);
}

function contextOf(traceparent: string): Context {
  return propagator.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
}

/** The header that passes on what is going on now; none outside a trace. */
export function traceHeaders(): Record<string, string> {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? {} : { traceparent };
}

export function currentTraceparent(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span) ? traceparentOf(span) : undefined;
}

/** Of what is going on now; undefined outside a trace. */
export function currentTraceId(): string | undefined {
  return currentTraceparent()?.slice(3, 35);
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`;
}

/** @param runId a UUID */
export function traceIdOfRun(runId: string): string {
  return runId.replaceAll('-', '');
}

/**
 * Where all work of a run hangs, whichever replica does it: the trace's id is the run's, so that a run's trace is
 * found by what the books say, without being stored.
 * @param runId a UUID
 */
export function traceparentOfRun(runId: string): string {
  const traceId = traceIdOfRun(runId);
  return traceparentOf({ traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED });
}

/** Asked for all the time, by machines. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Goes on with the caller's trace. `res.locals.traceId` and `res.locals.traceparent` tell the handlers; the first is
 * empty outside a trace.
 * @param begins whether a request without a trace begins one, as at the public port
 */
export function traceRequests({ begins }: { readonly begins: boolean }): RequestHandler {
  return (req, res, next) => {
    res.locals.traceId = '';
    if (UNTRACED.has(req.path) && !begins) return next();
    const caller = propagator.extract(ROOT_CONTEXT, req.headers, defaultTextMapGetter);
    const span = spanOf(req, caller, begins);
    if (span === undefined) return next();
    res.locals.traceId = span.spanContext().traceId;
    res.locals.traceparent = traceparentOf(span.spanContext());
    res.once('close', () => {
      span.updateName(`${req.method} ${(req.route as { path?: string } | undefined)?.path ?? 'none'}`);
      span.setAttribute('http.response.status_code', res.statusCode);
      if (res.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    context.with(trace.setSpan(caller, span), next);
  };
}

function spanOf(req: Request, caller: Context, begins: boolean): Span | undefined {
  const attributes = { 'http.request.method': req.method };
  if (UNTRACED.has(req.path)) return withoutSpan();
  const span = tracer().startSpan(req.method, { kind: SpanKind.SERVER, attributes }, caller);
  if (isSpanContextValid(span.spanContext())) return span;
  return begins ? withoutSpan() : undefined;
}

/** Ids only. */
function withoutSpan(): Span {
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  return trace.wrapSpanContext({ ...ids, traceFlags: TraceFlags.NONE });
}
