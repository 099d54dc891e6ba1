import { Sidecar } from '#lib/dapr';
import { createLogger, type Logger } from '#lib/logging';
import { startTracing, type Tracing } from '#lib/telemetry';
import { type Ending, end } from './ending.js';

export { END_TIMES_MS, type Ending } from './ending.js';

/** The settings, among a service's, that its beginning needs. */
export interface BeginSettings {
  readonly PLAYBILL_REPLICA: string;
  readonly PLAYBILL_LOG_LEVEL: string;
  readonly DAPR_HTTP_PORT: number;
  readonly DAPR_API_TOKEN: string;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
}

/** What every service has before anything of its own. */
export interface Service {
  readonly logger: Logger;
  readonly sidecar: Sidecar;
  /**
   * On the first SIGTERM or SIGINT: ends in this way, sends the last spans, and ends the process, with code 0 unless
   * something had to be cut off.
   */
  onStop(ending: Ending): void;
}

const SIDECAR_READY_MS = 60_000;

/**
 * Begins a service: its log, its traces, and its sidecar, whose components are loaded when this resolves.
 * @param name the service on every log line and span
 * @throws when the sidecar is not ready within a minute
 */
export async function beginService(name: string, config: BeginSettings): Promise<Service> {
  const replica = config.PLAYBILL_REPLICA;
  const logger = createLogger({ service: name, replica, level: config.PLAYBILL_LOG_LEVEL });
  const tracing = await startTracing({ service: name, replica, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
  const sidecar = new Sidecar({ httpPort: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN });
  await sidecar.waitReady(SIDECAR_READY_MS);
  const parts = { logger, tracing, sidecarPort: config.DAPR_HTTP_PORT };
  return { logger, sidecar, onStop: (ending) => endOnce(ending, parts) };
}

interface EndParts {
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly sidecarPort: number;
}

function endOnce(ending: Ending, { logger, tracing, sidecarPort }: EndParts): void {
  let isEnding = false;
  const endProcess = async () => {
    if (isEnding) return;
    isEnding = true;
    const isWhole = await end(ending, { sidecarPort, logger }).catch((error: unknown) => {
      logger.error({ err: error }, 'the end failed');
      return false;
    });
    await tracing.stop();
    process.exit(isWhole ? 0 : 1);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void endProcess());
}
