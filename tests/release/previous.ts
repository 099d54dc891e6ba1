import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT_DIR } from '../../deploy/local/stack/index.js';

/** Made by tests/release/keep-previous.mjs when a release was made. */
const FIXTURE = join(ROOT_DIR, 'tests', 'fixtures', 'previous-release.tgz');
/** Below the repository, so that the code finds the packages that are installed there. */
const DIR = join(ROOT_DIR, '.local', 'previous-release');

export interface Release {
  /** Folder of its compiled code. */
  readonly codeDir: string;
  readonly commit: string;
}

/** Unpacks the compiled services of the release before this one. */
export async function previousRelease(): Promise<Release> {
  await rm(DIR, { recursive: true, force: true });
  await mkdir(DIR, { recursive: true });
  await promisify(execFile)('tar', ['xzf', FIXTURE, '-C', DIR]);
  const { commit } = JSON.parse(await readFile(join(DIR, 'release.json'), 'utf8')) as { commit: string };
  return { codeDir: DIR, commit };
}
