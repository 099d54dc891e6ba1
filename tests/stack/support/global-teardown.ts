import { rm } from 'node:fs/promises';
import { TEST_FILE } from './test-stack.js';
import './global-setup.js';

/** Ends the stack that the set-up has started. */
export default async function tearDown(): Promise<void> {
  const running = globalThis.playbillTestStack;
  globalThis.playbillTestStack = undefined;
  await running?.control.close();
  await running?.stack.stop();
  await running?.traces.close();
  await rm(TEST_FILE, { force: true });
}
