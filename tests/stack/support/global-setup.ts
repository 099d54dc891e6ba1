import { writeFile } from 'node:fs/promises';
import { SetupError, type Stack, startStack } from '../../../deploy/local/stack/index.js';
import { Checklist } from '../../../deploy/local/ui.js';
import { type ControlServer, startControlServer } from './control-server.js';
import { TEST_FILE, TEST_PORT_OFFSET, TEST_SMTP_PORT, TEST_STATE_DIR, TEST_TRACES_PORT } from './test-stack.js';
import { startTraceReceiver, type TraceReceiver } from './trace-receiver.js';

export interface RunningTestStack {
  readonly stack: Stack;
  readonly control: ControlServer;
  readonly traces: TraceReceiver;
}

declare global {
  var playbillTestStack: RunningTestStack | undefined;
}

/** Nobody listens there until a test does; what a death leaves is found soon. */
const MAIL_SETTINGS = {
  PLAYBILL_SMTP: `127.0.0.1:${TEST_SMTP_PORT}`,
  SMTP_TIMEOUT_MS: '2000',
  REPORT_MAIL_LEASE_MS: '4000',
  REPORT_MAIL_BACKOFF_MS: '300',
  REPORT_MAIL_ATTEMPTS_MAX: '50',
};

/** Spans are sent soon, so that a test does not wait long. */
const TRACE_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${TEST_TRACES_PORT}`,
  OTEL_BSP_SCHEDULE_DELAY: '500',
};

/**
 * Starts one stack for all test files, with empty databases. This module runs compiled (see jest.config.js), in
 * Jest's main process, whose end ends every process of the stack.
 */
export default async function setUp(): Promise<void> {
  const checklist = new Checklist();
  const stack = await startStack({
    stateDir: TEST_STATE_DIR,
    portOffset: TEST_PORT_OFFSET,
    fresh: true,
    env: { PLAYBILL_DB_LOG_SIZE: process.env.PLAYBILL_DB_LOG_SIZE ?? '256M', ...MAIL_SETTINGS, ...TRACE_SETTINGS },
    step: checklist.step,
    log: (line) => checklist.print(`  ${line}`),
  }).catch((error: Error) => {
    throw error instanceof SetupError ? new Error(`${error.message}\nhint: ${error.hint}`) : error;
  });
  const [control, traces] = await Promise.all([startControlServer(stack), startTraceReceiver(TEST_TRACES_PORT)]);
  const { endpoints, secrets, layout } = stack;
  await writeFile(TEST_FILE, JSON.stringify({ control: control.control, endpoints, secrets, layout }), { mode: 0o600 });
  globalThis.playbillTestStack = { stack, control, traces };
}
