import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './errors.js';

/** The repository's root, whether this runs as source or compiled. */
export const ROOT_DIR = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  for (let dir = from; ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'dapr', 'dapr.yaml'))) return dir;
    if (dir === dirname(dir)) throw new Error(`the repository's root is not above ${from}`);
  }
}

/** Everything that one stack writes. */
export interface StateLayout {
  readonly stateDir: string;
  readonly logDir: string;
  /** Records of the processes that run. */
  readonly runDir: string;
  readonly secretsFile: string;
  /** Description of the stack that runs, for the command line and the tests. */
  readonly stackFile: string;
  readonly mariadbDir: string;
  readonly redisDir: string;
  readonly daprDir: string;
}

/**
 * Folders and files of the stack whose state is in `stateDir` (relative to the repository's root; `.local` when empty).
 * @throws SetupError for a folder that holds the repository itself
 */
export function layoutOf(stateDir: string): StateLayout {
  const dir = resolve(ROOT_DIR, stateDir || '.local');
  if (`${ROOT_DIR}/`.startsWith(`${dir}/`)) {
    throw new SetupError(`${dir} holds the repository and cannot be a state folder`, 'correct PLAYBILL_STATE_DIR');
  }
  return {
    stateDir: dir,
    logDir: join(dir, 'log'),
    runDir: join(dir, 'run'),
    secretsFile: join(dir, 'secrets.json'),
    stackFile: join(dir, 'stack.json'),
    mariadbDir: join(dir, 'mariadb'),
    redisDir: join(dir, 'redis'),
    daprDir: join(dir, 'dapr'),
  };
}

/** A folder for what clones of the repository on this machine share, e.g. the Dapr runtime that was built. */
export function sharedCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const base =
    env.PLAYBILL_CACHE_DIR ?? (env.XDG_CACHE_HOME === undefined ? undefined : join(env.XDG_CACHE_HOME, 'playbill'));
  if (base !== undefined) return resolve(base);
  return env.HOME === undefined ? join(ROOT_DIR, '.local', 'cache') : join(env.HOME, '.cache', 'playbill');
}
