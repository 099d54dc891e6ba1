export {
  type BooksState,
  collectProcessMetrics,
  createIngestMetrics,
  createMailMetrics,
  createRunMetrics,
  type IngestMetrics,
  type MailMetrics,
  type RunMetrics,
} from './metrics.js';
export {
  currentTraceId,
  currentTraceparent,
  inSpan,
  inTrace,
  type SpanOptions,
  startTracing,
  type Tracing,
  type TracingOptions,
  traceHeaders,
  traceIdOfRun,
  traceparentOfRun,
  traceRequests,
} from './tracing.js';
