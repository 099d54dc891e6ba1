import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT_DIR } from '../../deploy/local/stack/index.js';
import type { ChaosStack } from './world.js';

/** Makes a client with scope `ingest` by the operator's own command. @returns its token */
export async function ingestTokenOf({ layout }: Pick<ChaosStack, 'layout'>): Promise<string> {
  const program = join(ROOT_DIR, '.local', 'build', 'services', 'ops', 'main.js');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, 'client', 'add', `traffic-${Date.now()}`, '--scope', 'ingest', '--json'],
    { cwd: ROOT_DIR, env: { ...process.env, NODE_OPTIONS: '', PLAYBILL_STATE_DIR: layout.stateDir } },
  );
  return (JSON.parse(stdout) as { token: string }).token;
}
