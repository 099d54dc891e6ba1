import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../stack/errors.js';
import { ROOT_DIR, sharedCacheDir } from '../stack/paths.js';
import type { RunStep } from '../stack/run-step.js';
import { CommandFailed, runCommand } from './commands.js';
import { findGo, isAtLeast, type VersionMin } from './go.js';

/** Paths of the Dapr runtime's programs. */
export interface DaprPrograms {
  readonly daprd: string;
  readonly placement: string;
  readonly scheduler: string;
  readonly sentry: string;
}

const PROGRAMS = ['daprd', 'placement', 'scheduler', 'sentry'] as const;
const VERSION = '1.18.1';
const VERSION_MIN: VersionMin = [1, 16];
const GO_MIN: VersionMin = [1, 26];
const RUNTIME_DIR = join(ROOT_DIR, 'dapr', 'runtime');

const THREE_WAYS =
  'install Go 1.26 or newer (it is then built, once), or run `dapr init --slim` (Dapr 1.16 or newer), ' +
  'or set PLAYBILL_DAPR_BIN to a folder with daprd, placement, scheduler and sentry; ' +
  'or use docker compose (docker-compose.yml), which needs none of them';

/**
 * Finds the Dapr runtime: PLAYBILL_DAPR_BIN, an installed one, one that was built before; or builds it.
 * @throws SetupError naming these ways when none is possible
 */
export async function findDapr(step: RunStep): Promise<DaprPrograms> {
  const named = process.env.PLAYBILL_DAPR_BIN;
  if (named) {
    if (hasAll(named)) return programsIn(named);
    throw new SetupError(
      `PLAYBILL_DAPR_BIN=${named} does not hold ${PROGRAMS.join(', ')}`,
      'correct it, or unset it to have them found or built',
    );
  }
  const installed = await findInstalled();
  if (installed !== undefined) return installed;
  const built = join(sharedCacheDir(), 'dapr', await sourceKey());
  if (!hasAll(built)) await build(built, step);
  return programsIn(built);
}

function programsIn(dir: string): DaprPrograms {
  const [daprd, placement, scheduler, sentry] = PROGRAMS.map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  return { daprd, placement, scheduler, sentry };
}

function hasAll(dir: string): boolean {
  return PROGRAMS.every((name) => existsSync(join(dir, name)));
}

/** An installed Dapr as `dapr init --slim` leaves it, when it is new enough. */
async function findInstalled(): Promise<DaprPrograms | undefined> {
  const dir = join(homedir(), '.dapr', 'bin');
  if (!hasAll(dir)) return undefined;
  const version = await runCommand(join(dir, 'daprd'), ['--version']).catch(() => undefined);
  return version !== undefined && isAtLeast(version.stdout, VERSION_MIN) ? programsIn(dir) : undefined;
}

/** A digest of everything that the programs are made of. */
async function sourceKey(): Promise<string> {
  const files = (await readdir(RUNTIME_DIR, { recursive: true })).filter((file) => /\.(go|mod|sum)$/.test(file)).sort();
  const hash = createHash('sha256').update(`${VERSION} ${process.platform} ${process.arch}`);
  for (const file of files) hash.update(file).update(await readFile(join(RUNTIME_DIR, file)));
  return hash.digest('hex').slice(0, 16);
}

async function build(target: string, step: RunStep): Promise<void> {
  const go = await requireGo();
  const unfinished = `${target}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await step('Downloading the Dapr runtime’s sources (once, 1 GB, one to three minutes)', (note) =>
      download(go, note),
    );
    await step('Building the Dapr runtime (once, five to fifteen minutes on two cores)', (note) =>
      compile(go, unfinished, note),
    );
    await rename(unfinished, target).catch((error: Error) => {
      // Another clone has built the same in the meantime.
      if (!hasAll(target)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function requireGo(): Promise<string> {
  const go = await findGo(GO_MIN);
  if (go === undefined)
    throw new SetupError('the Dapr runtime is not installed, and there is no Go to build it', THREE_WAYS);
  if (!go.isNewEnough) {
    throw new SetupError(`the Dapr runtime is not installed, and ${go.version} is too old to build it`, THREE_WAYS);
  }
  return go.path;
}

/** Neither a newer toolchain nor other modules than those of go.sum are taken. */
const GO_ENV = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' };

async function download(go: string, note: (text: string) => void): Promise<void> {
  let modules = 0;
  const onErrorLine = (line: string) => {
    if (line.startsWith('go: downloading ')) note(`${++modules} modules`);
  };
  // Listing what the programs import downloads just that, and `go mod download` would fetch every module of go.mod.
  await runGo(go, ['list', '-deps', ...packages()], { onErrorLine });
}

async function compile(go: string, target: string, note: (text: string) => void): Promise<void> {
  const { stdout } = await runGo(go, ['list', '-deps', ...packages()]);
  const total = new Set(stdout.trim().split('\n')).size;
  let compiled = 0;
  const onErrorLine = (line: string) => {
    if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) note(`${++compiled} of at most ${total} packages`);
  };
  const linkerFlags = `-s -w -X github.com/dapr/dapr/pkg/buildinfo.version=${VERSION}`;
  await runGo(go, ['build', '-v', '-trimpath', '-ldflags', linkerFlags, '-o', `${target}/`, ...packages()], {
    onErrorLine,
  });
}

function packages(): string[] {
  return PROGRAMS.map((name) => `./${name}`);
}

async function runGo(go: string, args: string[], options: { onErrorLine?: (line: string) => void } = {}) {
  try {
    return await runCommand(go, args, { ...options, cwd: RUNTIME_DIR, env: GO_ENV });
  } catch (error) {
    const lastLine = error instanceof CommandFailed ? error.output.trim().split('\n').at(-1) : String(error);
    throw new SetupError(
      `go ${args[0]} failed: ${lastLine}`,
      `is the network up, and is there 4 GB of disk? Else ${THREE_WAYS}`,
      {
        cause: error,
      },
    );
  }
}
