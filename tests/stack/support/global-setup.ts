import { writeFile } from 'node:fs/promises';
import { SetupError, type Stack, startStack } from '../../../deploy/local/stack/index.js';
import { Checklist } from '../../../deploy/local/ui.js';
import { type ControlServer, startControlServer } from './control-server.js';
import { TEST_FILE, TEST_PORT_OFFSET, TEST_STATE_DIR } from './test-stack.js';

export interface RunningTestStack {
  readonly stack: Stack;
  readonly control: ControlServer;
}

declare global {
  var playbillTestStack: RunningTestStack | undefined;
}

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
    env: { PLAYBILL_DB_LOG_SIZE: process.env.PLAYBILL_DB_LOG_SIZE ?? '256M' },
    step: checklist.step,
    log: (line) => checklist.print(`  ${line}`),
  }).catch((error: Error) => {
    throw error instanceof SetupError ? new Error(`${error.message}\nhint: ${error.hint}`) : error;
  });
  const control = await startControlServer(stack);
  const { endpoints, secrets, layout } = stack;
  await writeFile(TEST_FILE, JSON.stringify({ control: control.control, endpoints, secrets, layout }), { mode: 0o600 });
  globalThis.playbillTestStack = { stack, control };
}
