import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandFailed, runCommand } from '../prerequisites/commands.js';
import { type Endpoint, textOf } from './endpoints.js';
import { SetupError } from './errors.js';
import {
  type MariadbPrograms,
  type MariadbServer,
  mariadbSpec,
  prepareDataDir,
  prepareTemplate,
  writeInitFile,
} from './mariadb.js';
import type { StateLayout } from './paths.js';
import { ensureReplication, type ReplicationOptions, requireReplicating, waitCaughtUp } from './replication.js';
import { credentialsOf, type Secrets } from './secrets.js';
import type { ServerSettings } from './settings.js';
import { firstRow, withConnection } from './sql.js';
import type { Supervisor } from './supervisor.js';

export interface DatabaseOptions {
  readonly layout: StateLayout;
  readonly supervisor: Supervisor;
  readonly secrets: Secrets;
  readonly env: NodeJS.ProcessEnv;
  readonly settings: ServerSettings['database'];
  /** Folder of the release whose migrations are run. */
  readonly codeDir: string;
}

const CATCH_UP_MS = 60_000;

/** The pairs of servers whose replication is the stack's own business. */
export function replicationsOf({ settings, secrets }: Pick<DatabaseOptions, 'settings' | 'secrets'>) {
  if (!settings.isPrivate) return [];
  return settings.replicas.map((replica): ReplicationOptions => ({ primary: settings.primary, replica, secrets }));
}

/** Makes and starts a primary and its replicas; each replica follows the primary after every start. */
export async function startDatabases(options: DatabaseOptions, programs: MariadbPrograms): Promise<void> {
  const { layout, supervisor, secrets, env } = options;
  const template = await prepareTemplate(programs);
  await writeInitFile(layout, secrets);
  await Promise.all(
    serversOf(options.settings).map(async (server) => {
      await prepareDataDir(layout, server, template);
      const follow = () => ensureReplication({ primary: options.settings.primary, replica: server.endpoint, secrets });
      await supervisor.launch(
        mariadbSpec({
          layout,
          programs,
          server,
          secrets,
          env,
          ...(server.role === 'replica' ? { afterStart: follow } : {}),
        }),
      );
    }),
  );
}

function serversOf({ primary, replicas }: ServerSettings['database']): MariadbServer[] {
  return [
    { name: 'mariadb-primary', role: 'primary', serverId: 1, endpoint: primary },
    ...replicas.map((endpoint, index) => ({
      name: `mariadb-replica-${index + 1}`,
      role: 'replica' as const,
      serverId: index + 2,
      endpoint,
    })),
  ];
}

/** @throws SetupError when a database server that the environment names cannot be used */
export async function requireDatabases({ settings, secrets }: DatabaseOptions): Promise<void> {
  await requireServer('PLAYBILL_DB_PRIMARY', settings.primary, secrets);
  for (const replica of settings.replicas) await requireServer('PLAYBILL_DB_REPLICAS', replica, secrets);
}

async function requireServer(variable: string, server: Endpoint, secrets: Secrets): Promise<void> {
  try {
    await withConnection(server, credentialsOf(secrets, 'admin'), (connection) => firstRow(connection, 'SELECT 1'));
  } catch (error) {
    throw new SetupError(
      `the database server ${textOf(server)} cannot be used: ${(error as Error).message}`,
      `start it, or correct ${variable}, PLAYBILL_DB_ADMIN_USER and PLAYBILL_DB_ADMIN_PASSWORD`,
      { cause: error },
    );
  }
}

/** Brings schemas, tables and accounts up to date and waits until the replicas have them. @returns what was done */
export async function migrateDatabases(options: DatabaseOptions): Promise<string> {
  const { layout, settings, codeDir, env } = options;
  const program = join(codeDir, '.local', 'build', 'services', 'libs', 'database', 'migrate.js');
  if (!existsSync(program)) throw new Error(`${program} is missing; run the build`);
  const { stdout } = await runCommand(process.execPath, [program], {
    cwd: codeDir,
    env: {
      PATH: env.PATH,
      TZ: 'UTC',
      PLAYBILL_DB_PRIMARY: textOf(settings.primary),
      PLAYBILL_SECRETS_FILE: layout.secretsFile,
    },
  }).catch((error: CommandFailed) => {
    throw new Error(`the database schema could not be brought up to date: ${error.message}`, { cause: error });
  });
  await waitReplicas(options);
  return stdout.trim();
}

/** Waits until every private replica has what the primary has committed by now, and goes on following it. */
export async function waitReplicas(options: Pick<DatabaseOptions, 'settings' | 'secrets'>): Promise<void> {
  await Promise.all(
    replicationsOf(options).map(async (replication) => {
      await waitCaughtUp(replication, CATCH_UP_MS);
      await requireReplicating(replication.replica, credentialsOf(options.secrets, 'admin'));
    }),
  );
}
