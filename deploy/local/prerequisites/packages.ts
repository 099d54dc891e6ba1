import { SetupError } from '../stack/errors.js';
import { CommandFailed, findProgram, runCommand } from './commands.js';

/**
 * Installs Debian packages, as root or by `sudo` without a password.
 * @throws SetupError in one line when neither is possible, or when the download fails
 */
export async function installPackages(packages: readonly string[], note: (text: string) => void): Promise<void> {
  const byHand = `install them yourself: sudo apt-get install ${packages.join(' ')}`;
  const aptGet = findProgram('apt-get');
  if (aptGet === undefined) {
    throw new SetupError(`${packages.join(', ')}: missing, and this system has no apt-get`, OTHER_SYSTEMS);
  }
  const [command, ...prefix] = await asRoot(aptGet, byHand);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (args: string[]) => runCommand(command!, [...prefix, ...args], { env });
  try {
    note('reading the package lists');
    await run(['update', '-qq']);
    note(`installing ${packages.join(' ')}`);
    // A server that the package would start by itself is not wanted: stacks run their own.
    await run(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  } catch (error) {
    const lastLine = error instanceof CommandFailed ? error.output.trim().split('\n').at(-1) : String(error);
    throw new SetupError(
      `${packages.join(', ')} could not be installed: ${lastLine}`,
      `is the network up? Else ${byHand}`,
      {
        cause: error,
      },
    );
  }
}

const OTHER_SYSTEMS =
  'install MariaDB 10.11 or newer and Redis 7 or newer, or name running servers: PLAYBILL_DB_PRIMARY, PLAYBILL_REDIS';

async function asRoot(aptGet: string, hint: string): Promise<string[]> {
  if (process.getuid?.() === 0) return [aptGet];
  const sudo = findProgram('sudo');
  if (sudo !== undefined) {
    const works = await runCommand(sudo, ['-n', 'true']).then(
      () => true,
      () => false,
    );
    if (works) return [sudo, '-n', aptGet];
  }
  throw new SetupError('packages are missing, and installing them needs root', hint);
}
