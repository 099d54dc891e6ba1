import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createConnection } from 'mysql2/promise';
import { z } from 'zod';
import { type Endpoint, endpoint, endpoints, readConfig } from '#lib/config';

/**
 * The job `replication` of docker-compose.yml: makes the operators' accounts on the primary and has every replica follow
 * it by GTID. For MySQL ≥ 8.4. What is done already is left alone, so it runs at every start.
 */

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** One server, as its root. */
export interface Server {
  readonly endpoint: Endpoint;
  query(sql: string): Promise<Record<string, unknown>[]>;
}

export interface ReplicationOptions {
  readonly primary: Server;
  readonly replicas: readonly Server[];
  /** Who brings the schemas up to date; may do everything. */
  readonly admin: Credentials;
  /** As whom replicas read the primary's log. */
  readonly replication: Credentials;
  /** How long a replica may take to connect and to begin. */
  readonly deadlineMs: number;
}

const POLL_MS = 500;

/** @throws naming the replica that does not follow, with its own words */
export async function setUpReplication(options: ReplicationOptions): Promise<void> {
  await makeAccounts(options);
  for (const replica of options.replicas) await follow(replica, options);
  await Promise.all(options.replicas.map((replica) => waitFollowing(replica, options)));
}

async function makeAccounts({ primary, admin, replication }: ReplicationOptions): Promise<void> {
  for (const { username, password } of [admin, replication]) {
    await primary.query(`CREATE USER IF NOT EXISTS '${username}'@'%' IDENTIFIED BY '${password}'`);
    await primary.query(`ALTER USER '${username}'@'%' IDENTIFIED BY '${password}'`);
  }
  await primary.query(`GRANT ALL PRIVILEGES ON *.* TO '${admin.username}'@'%' WITH GRANT OPTION`);
  await primary.query(`GRANT REPLICATION SLAVE ON *.* TO '${replication.username}'@'%'`);
}

async function follow(replica: Server, { primary, replication }: ReplicationOptions): Promise<void> {
  const [status] = await replica.query('SHOW REPLICA STATUS');
  if (status === undefined) {
    // What the image wrote while it set this server up is in no other server's log and would be missed there.
    await replica.query('RESET BINARY LOGS AND GTIDS');
  } else if (follows(status, primary.endpoint, replication)) {
    if (!isRunning(status)) await replica.query('START REPLICA');
    return;
  } else {
    await replica.query('STOP REPLICA');
  }
  await replica.query(changeSource(primary.endpoint, replication));
  await replica.query('START REPLICA');
}

function follows(status: Record<string, unknown>, { host, port }: Endpoint, { username }: Credentials): boolean {
  return (
    status.Source_Host === host &&
    Number(status.Source_Port) === port &&
    status.Source_User === username &&
    Number(status.Auto_Position) === 1 &&
    // The password may be another since.
    Number(status.Last_IO_Errno) !== ER_ACCESS_DENIED
  );
}

const ER_ACCESS_DENIED = 1045;

function isRunning(status: Record<string, unknown>): boolean {
  return status.Replica_IO_Running === 'Yes' && status.Replica_SQL_Running === 'Yes';
}

function changeSource({ host, port }: Endpoint, { username, password }: Credentials): string {
  return (
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '${host}', SOURCE_PORT = ${port}, SOURCE_USER = '${username}', ` +
    `SOURCE_PASSWORD = '${password}', SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1, ` +
    // Without TLS between the servers, the password travels encrypted by the primary's own key.
    'SOURCE_HEARTBEAT_PERIOD = 2, GET_SOURCE_PUBLIC_KEY = 1'
  );
}

async function waitFollowing(replica: Server, { deadlineMs }: ReplicationOptions): Promise<void> {
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    const [status] = await replica.query('SHOW REPLICA STATUS');
    if (status !== undefined && isRunning(status)) return;
    if (Date.now() > endMs) {
      const reason = status?.Last_SQL_Error || status?.Last_IO_Error || 'it is connecting';
      throw new Error(`${replica.endpoint.host} does not follow the primary: ${reason}`);
    }
    await sleep(POLL_MS);
  }
}

export const configSchema = z.object({
  /** The server that is followed, `host:port`. */
  PLAYBILL_DB_PRIMARY: endpoint,
  /** Those that follow it, `host:port,host:port`. */
  PLAYBILL_DB_REPLICAS: endpoints,
  /** JSON in the form of Dapr's file secret store. */
  PLAYBILL_SECRETS_FILE: z.string().min(1),
});

/** Made by deploy/compose/secrets.mjs: words that need no quoting. */
const credentials = z.object({ username: z.string().regex(/^\w+$/), password: z.string().regex(/^[\w-]{16,}$/) });
const secretsSchema = z.object({
  'mysql-root': credentials,
  'mysql-admin': credentials,
  'mysql-replication': credentials,
});

const DEADLINE_MS = 60_000;

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const secrets = secretsSchema.parse(JSON.parse(await readFile(config.PLAYBILL_SECRETS_FILE, 'utf8')));
  const open = (at: Endpoint) => connect(at, secrets['mysql-root']);
  const servers = await Promise.all([config.PLAYBILL_DB_PRIMARY, ...config.PLAYBILL_DB_REPLICAS].map(open));
  const [primary, ...replicas] = servers;
  await setUpReplication({
    primary: primary!,
    replicas,
    admin: secrets['mysql-admin'],
    replication: secrets['mysql-replication'],
    deadlineMs: DEADLINE_MS,
  });
  await Promise.all(servers.map((server) => server.close()));
  console.log(`${replicas.length} replicas follow the primary`);
}

async function connect(
  at: Endpoint,
  { username, password }: Credentials,
): Promise<Server & { close(): Promise<void> }> {
  const connection = await createConnection({ host: at.host, port: at.port, user: username, password });
  return {
    endpoint: at,
    query: async (sql) => {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    close: () => connection.end(),
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
