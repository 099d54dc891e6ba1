import { join } from 'node:path';
import { TEST_PORT_OFFSET, TEST_STATE_DIR } from '../stack/support/test-stack.js';

/** Beside the stack's own state, which is emptied at each start. */
export const BROKER_DIR = join(TEST_STATE_DIR, '..', 'test-kafka');
export const BROKER_PORT = 5_095 + TEST_PORT_OFFSET - 1_000;
export const CONTROLLER_PORT = 5_096 + TEST_PORT_OFFSET - 1_000;
/** What the global set-up tells the test files. */
export const BROKER_FILE = join(BROKER_DIR, 'broker.json');
