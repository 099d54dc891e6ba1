import { rm } from 'node:fs/promises';
import tearDownStack from '../stack/support/global-teardown.js';
import './global-setup.js';
import { BROKER_DIR } from './support.js';

/** Ends the stack, then its broker. */
export default async function tearDown(): Promise<void> {
  await tearDownStack();
  await globalThis.playbillBroker?.stop();
  globalThis.playbillBroker = undefined;
  await rm(BROKER_DIR, { recursive: true, force: true });
}
