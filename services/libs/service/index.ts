import { Sidecar } from '#lib/dapr';
import { createLogger, type Logger } from '#lib/logging';
import { startTracing, type Tracing } from '#lib/telemetry';

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
  /** On the first SIGTERM or SIGINT: does `work`, sends the last spans, and ends the process. */
  onStop(work: () => Promise<unknown>): void;
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
  return { logger, sidecar, onStop: (work) => stopOnce(work, tracing) };
}

function stopOnce(work: () => Promise<unknown>, tracing: Tracing): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await work();
    await tracing.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}
