import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, runCommand } from '../../deploy/local/prerequisites/commands.js';
import { type Endpoint, layoutOf } from '../../deploy/local/stack/index.js';
import {
  type MariadbServer,
  mariadbSpec,
  prepareDataDir,
  prepareTemplate,
  writeInitFile,
} from '../../deploy/local/stack/mariadb.js';
import { sharedCacheDir } from '../../deploy/local/stack/paths.js';
import { type Credentials, credentialsOf, prepareSecrets, type Secrets } from '../../deploy/local/stack/secrets.js';
import { Supervisor } from '../../deploy/local/stack/supervisor.js';

const PACKAGE = 'mariadb-plugin-spider';
const LIBRARY = 'ha_spider.so';
const INSTALLED = '/usr/lib/mysql/plugin';
const BASE_PORT = 13_316;

/** A head, which holds no events, and the data nodes behind it. */
export interface SpiderServers {
  readonly head: Endpoint;
  readonly nodes: readonly Endpoint[];
  readonly admin: Credentials;
  stop(): Promise<void>;
}

export interface SpiderOptions {
  readonly stateDir: string;
  readonly portOffset: number;
  readonly nodes: number;
}

/**
 * Starts the servers, empty and as durable as the primary of a stack, and loads the engine into the head.
 * @throws when MariaDB is not installed, or the engine can neither be found nor fetched
 */
export async function startSpiderServers({ stateDir, portOffset, nodes }: SpiderOptions): Promise<SpiderServers> {
  const [server, install] = [findProgram('mariadbd'), findProgram('mariadb-install-db')];
  if (server === undefined || install === undefined) throw new Error('MariaDB is not installed: run npm start once');
  const programs = { server, install };
  const pluginDir = await findEngine(server);
  const layout = layoutOf(stateDir);
  await rm(layout.stateDir, { recursive: true, force: true });
  await mkdir(layout.runDir, { recursive: true });
  const endpointOf = (i: number): Endpoint => ({ host: '127.0.0.1', port: BASE_PORT + portOffset + i });
  const secrets: Secrets = await prepareSecrets(layout, { primary: 'none', redis: 'none' });
  await writeInitFile(layout, secrets);
  const template = await prepareTemplate(programs);
  const supervisor = new Supervisor(layout, console.log);
  const launch = async (name: string, i: number, args: readonly string[]) => {
    const one: MariadbServer = { name, role: 'primary', serverId: i + 1, endpoint: endpointOf(i) };
    await prepareDataDir(layout, one, template);
    const spec = mariadbSpec({ layout, programs, server: one, secrets, env: process.env });
    await supervisor.launch({ ...spec, args: [...spec.args, ...args] });
  };
  await Promise.all([
    launch('spider-head', 0, [`--plugin-dir=${pluginDir}`, '--plugin-load-add=ha_spider']),
    ...Array.from({ length: nodes }, (_none, i) => launch(`spider-node-${i + 1}`, i + 1, [])),
  ]);
  return {
    head: endpointOf(0),
    nodes: Array.from({ length: nodes }, (_none, i) => endpointOf(i + 1)),
    admin: credentialsOf(secrets, 'admin'),
    async stop() {
      await supervisor.stop();
      await rm(layout.stateDir, { recursive: true, force: true });
    },
  };
}

/**
 * Finds the engine, or takes its library out of the package of the server's own version: installed, the package would
 * bring the whole server's, which may be another version than the one that runs. @returns its folder
 */
async function findEngine(server: string): Promise<string> {
  if (existsSync(join(INSTALLED, LIBRARY))) return INSTALLED;
  const { stdout } = await runCommand(server, ['--no-defaults', '--version']);
  const version = /(\d+\.\d+\.\d+)-MariaDB-(\S+)/.exec(stdout);
  if (version === null) throw new Error(`${PACKAGE} is not installed`);
  const dir = join(sharedCacheDir(), 'spider', `${version[1]}-${version[2]}`);
  const pluginDir = join(dir, 'usr', 'lib', 'mysql', 'plugin');
  if (existsSync(join(pluginDir, LIBRARY))) return pluginDir;
  await mkdir(dir, { recursive: true });
  const { stdout: names } = await runCommand('apt-cache', ['madison', PACKAGE]);
  const wanted = names
    .split('\n')
    .map((line) => line.split('|')[1]?.trim() ?? '')
    .find((one) => one.includes(version[1]!));
  if (wanted === undefined) throw new Error(`apt has no ${PACKAGE} of ${version[1]}: run apt-get update`);
  await runCommand('apt-get', ['download', '-qq', `${PACKAGE}=${wanted}`], { cwd: dir });
  await runCommand('sh', ['-c', 'dpkg -x ./*.deb . && rm ./*.deb'], { cwd: dir });
  return pluginDir;
}
