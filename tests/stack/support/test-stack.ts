import { join, resolve } from 'node:path';
import { ROOT_DIR } from '../../../deploy/local/stack/index.js';

/** The tests' stack lies beside the developer's: in a folder of the same state folder, with ports 10000 higher. */
export const TEST_PORT_OFFSET = 10_000 + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);
export const TEST_STATE_DIR = resolve(ROOT_DIR, process.env.PLAYBILL_STATE_DIR ?? '.local', 'test');
/** Where the report service of the tests' stack finds its mail server. */
export const TEST_SMTP_PORT = 5_094 + TEST_PORT_OFFSET;
/** Where the services of the tests' stack send their spans, and tests look at them. */
export const TEST_TRACES_PORT = 5_098 + TEST_PORT_OFFSET;
/** What the global set-up tells the test files. */
export const TEST_FILE = join(TEST_STATE_DIR, 'test.json');
