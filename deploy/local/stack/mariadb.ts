import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../prerequisites/commands.js';
import type { Endpoint } from './endpoints.js';
import type { ProcessSpec } from './managed-process.js';
import { type StateLayout, sharedCacheDir } from './paths.js';
import { credentialsOf, type Secrets, writePrivately } from './secrets.js';
import { firstRow, withConnection } from './sql.js';
import { StopOrder } from './stop-order.js';

/** Programs of the database server, as the prerequisites have found them. */
export interface MariadbPrograms {
  readonly server: string;
  readonly install: string;
}

export interface MariadbServer {
  readonly name: string;
  readonly role: 'primary' | 'replica';
  /** Of replication: 1 is the primary. */
  readonly serverId: number;
  readonly endpoint: Endpoint;
}

const MEBI = 1024 * 1024;
const SOCKET_PATH_MAX = 100;

/**
 * An empty data folder that every server of every clone starts from as a copy; making it takes seconds, copying none.
 * @returns its path
 */
export async function prepareTemplate(programs: MariadbPrograms): Promise<string> {
  const version = await runCommand(programs.server, ['--no-defaults', '--version']);
  const key = createHash('sha256').update(version.stdout).digest('hex').slice(0, 12);
  const template = join(sharedCacheDir(), 'mariadb', key);
  if (existsSync(template)) return template;
  const unfinished = `${template}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await runCommand(programs.install, [
    '--no-defaults',
    `--datadir=${unfinished}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    // It would look the machine's own name up, which a small system cannot.
    '--force',
    '--innodb-log-file-size=8M',
    ...asRoot(),
  ]);
  await rename(unfinished, template).catch(async (error: NodeJS.ErrnoException) => {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(template)) throw error;
  });
  return template;
}

/** Makes a server's data folder from the template unless it is there. A copy that was cut short is made again. */
export async function prepareDataDir(layout: StateLayout, server: MariadbServer, template: string): Promise<void> {
  const dataDir = dataDirOf(layout, server);
  if (existsSync(dataDir)) return;
  const unfinished = `${dataDir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(layout.mariadbDir, { recursive: true, mode: 0o700 });
  await cp(template, unfinished, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await rename(unfinished, dataDir);
}

/** Writes the statements that a server runs at each start, before it lets anyone in. */
export async function writeInitFile(layout: StateLayout, secrets: Secrets): Promise<void> {
  const admin = credentialsOf(secrets, 'admin');
  const replication = credentialsOf(secrets, 'replication');
  const statements = [
    // Each server makes these accounts itself: in the binary log they would differ from server to server.
    'SET SESSION sql_log_bin = 0',
    "DELETE FROM mysql.global_priv WHERE User IN ('', 'root')",
    'FLUSH PRIVILEGES',
    `CREATE USER IF NOT EXISTS '${admin.username}'@'%' IDENTIFIED BY '${admin.password}'`,
    `ALTER USER '${admin.username}'@'%' IDENTIFIED BY '${admin.password}'`,
    `GRANT ALL PRIVILEGES ON *.* TO '${admin.username}'@'%' WITH GRANT OPTION`,
    `CREATE USER IF NOT EXISTS '${replication.username}'@'%' IDENTIFIED BY '${replication.password}'`,
    `ALTER USER '${replication.username}'@'%' IDENTIFIED BY '${replication.password}'`,
    `GRANT REPLICATION SLAVE ON *.* TO '${replication.username}'@'%'`,
  ];
  await writePrivately(initFileOf(layout), `${statements.join(';\n')};\n`);
}

export interface MariadbSpecOptions {
  readonly layout: StateLayout;
  readonly programs: MariadbPrograms;
  readonly server: MariadbServer;
  readonly secrets: Secrets;
  readonly env: NodeJS.ProcessEnv;
  readonly afterStart?: () => Promise<void>;
}

/** How a server is run. The primary is fully durable; a replica may lose its last moments, which it gets again. */
export function mariadbSpec(options: MariadbSpecOptions): ProcessSpec {
  const { layout, programs, server, secrets, env } = options;
  const admin = credentialsOf(secrets, 'admin');
  return {
    name: server.name,
    command: programs.server,
    args: [...commonArgs(layout, server, env), ...(server.role === 'primary' ? PRIMARY_ARGS : REPLICA_ARGS)],
    env: { PATH: env.PATH, TZ: 'UTC' },
    cwd: layout.mariadbDir,
    check: () =>
      withConnection(server.endpoint, admin, async (connection) => void (await firstRow(connection, 'SELECT 1'))),
    ...(options.afterStart === undefined ? {} : { afterStart: options.afterStart }),
    stopGraceMs: 30_000,
    stopOrder: server.role === 'primary' ? StopOrder.primary : StopOrder.replicas,
  };
}

const PRIMARY_ARGS = [
  '--innodb-flush-log-at-trx-commit=1',
  '--sync-binlog=1',
  // A commit of a thousand events has some 200 kB; what is larger goes through a file.
  '--binlog-cache-size=1M',
];
const REPLICA_ARGS = [
  '--read-only=1',
  '--innodb-flush-log-at-trx-commit=2',
  '--sync-binlog=0',
  '--slave-parallel-threads=2',
  // What was committed together is applied together. The optimistic mode tries more than that, and costs an eighth more.
  '--slave-parallel-mode=conservative',
  '--slave-net-timeout=10',
  '--relay-log-recovery=1',
];

function commonArgs(layout: StateLayout, server: MariadbServer, env: NodeJS.ProcessEnv): string[] {
  const dataDir = dataDirOf(layout, server);
  return [
    '--no-defaults',
    ...asRoot(),
    `--datadir=${dataDir}`,
    `--socket=${socketOf(layout, server)}`,
    `--pid-file=${join(dataDir, 'server.pid')}`,
    `--init-file=${initFileOf(layout)}`,
    '--bind-address=127.0.0.1',
    `--port=${server.endpoint.port}`,
    '--skip-name-resolve',
    '--skip-symbolic-links',
    `--server-id=${server.serverId}`,
    '--gtid-domain-id=1',
    '--gtid-strict-mode=1',
    '--log-bin=binlog',
    '--relay-log=relay',
    '--binlog-format=ROW',
    '--binlog-row-image=MINIMAL',
    '--binlog-annotate-row-events=OFF',
    `--binlog-expire-logs-seconds=${7 * 86_400}`,
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_general_ci',
    '--default-time-zone=+00:00',
    '--transaction-isolation=READ-COMMITTED',
    '--innodb-lock-wait-timeout=10',
    `--innodb-buffer-pool-size=${env.PLAYBILL_DB_BUFFER_POOL ?? defaultBufferPool()}`,
    `--innodb-log-file-size=${env.PLAYBILL_DB_LOG_SIZE ?? '1G'}`,
    '--max-connections=300',
    '--max-allowed-packet=256M',
    '--local-infile=1',
    '--performance-schema=0',
  ];
}

/** A twelfth of the machine's memory a server, 256 MiB to 2 GiB. */
function defaultBufferPool(): string {
  const mebibytes = Math.floor(totalmem() / 12 / MEBI);
  return `${Math.min(2048, Math.max(256, mebibytes))}M`;
}

/** The path of a socket may have 107 characters; a deep clone's is longer, so then it lies in the temporary folder. */
function socketOf(layout: StateLayout, server: MariadbServer): string {
  const usual = join(layout.mariadbDir, `${server.name}.sock`);
  if (usual.length <= SOCKET_PATH_MAX) return usual;
  const key = createHash('sha256').update(usual).digest('hex').slice(0, 16);
  return join(tmpdir(), `playbill-${key}.sock`);
}

/** The server refuses to run as root unless told so. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

function dataDirOf(layout: StateLayout, server: MariadbServer): string {
  return join(layout.mariadbDir, server.name);
}

function initFileOf(layout: StateLayout): string {
  return join(layout.mariadbDir, 'init.sql');
}
