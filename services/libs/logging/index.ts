import { type Logger, pino } from 'pino';
import { currentTraceId } from '#lib/telemetry';

export type { Logger };

/** Names of fields that never reach a log line, at any depth that we log. */
const SECRET_PATHS = [
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  '*.password',
  '*.token',
  '*.accessToken',
  '*.refreshToken',
  '*.authorization',
  'req.headers.authorization',
  'req.headers["dapr-api-token"]',
];

/**
 * A JSON logger on standard output. Secrets are redacted by field name; a line within a trace has the trace's id.
 * @param service app-id of the service, on every line
 * @param replica name of this replica, on every line
 */
export function createLogger(options: { service: string; replica: string; level: string }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service, replica: options.replica },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin() {
      const traceId = currentTraceId();
      return traceId === undefined ? {} : { traceId };
    },
  });
}
