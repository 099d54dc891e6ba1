import type { Endpoint } from './endpoints.js';
import { poll } from './poll.js';
import { type Credentials, credentialsOf, type Secrets } from './secrets.js';
import { firstRow, withConnection } from './sql.js';

export interface ReplicationOptions {
  readonly primary: Endpoint;
  readonly replica: Endpoint;
  readonly secrets: Secrets;
}

/** Makes the replica follow the primary from where it stands, unless it does so already. Safe to repeat. */
export async function ensureReplication({ primary, replica, secrets }: ReplicationOptions): Promise<void> {
  const source = credentialsOf(secrets, 'replication');
  await withConnection(replica, credentialsOf(secrets, 'admin'), async (connection) => {
    const status = await firstRow(connection, 'SHOW SLAVE STATUS');
    const follows =
      status?.Master_Host === primary.host &&
      Number(status.Master_Port) === primary.port &&
      status.Master_User === source.username &&
      status.Using_Gtid === 'Slave_Pos';
    const isRefused = Number(status?.Last_IO_Errno ?? 0) === ER_ACCESS_DENIED;
    if (follows && !isRefused) {
      if (status.Slave_IO_Running === 'No' || status.Slave_SQL_Running === 'No') await connection.query('START SLAVE');
      return;
    }
    if (status !== undefined) await connection.query('STOP SLAVE');
    await connection.query(changeMaster(primary, source));
    await connection.query('START SLAVE');
  });
}

const ER_ACCESS_DENIED = 1045;

function changeMaster({ host, port }: Endpoint, { username, password }: Credentials): string {
  return `CHANGE MASTER TO MASTER_HOST = '${host}', MASTER_PORT = ${port}, MASTER_USER = '${username}',
    MASTER_PASSWORD = '${password}', MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 2,
    MASTER_USE_GTID = slave_pos`;
}

/** @throws with the server's own words when the replica does not follow its primary */
export async function requireReplicating(replica: Endpoint, admin: Credentials): Promise<void> {
  await withConnection(replica, admin, async (connection) => {
    const status = await firstRow(connection, 'SHOW SLAVE STATUS');
    if (status?.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes') return;
    const reason = status?.Last_SQL_Error || status?.Last_IO_Error || 'it is connecting';
    throw new Error(`the replica on port ${replica.port} does not follow the primary: ${reason}`);
  });
}

/** Waits until the replica has applied everything that the primary has committed by now. */
export async function waitCaughtUp(options: ReplicationOptions, deadlineMs: number): Promise<void> {
  const admin = credentialsOf(options.secrets, 'admin');
  const position = await withConnection(options.primary, admin, async (connection) => {
    const row = await firstRow(connection, 'SELECT @@global.gtid_binlog_pos AS position');
    return String(row?.position ?? '');
  });
  if (position === '') return;
  const attempt = async () =>
    withConnection(options.replica, admin, async (connection) => {
      const row = await firstRow(connection, 'SELECT MASTER_GTID_WAIT(?, 1) AS result', [position]);
      if (Number(row?.result) === 0) return true;
      await ensureReplication(options);
      return requireReplicating(options.replica, admin).then(() => undefined);
    });
  await poll(attempt, { what: `the replica on port ${options.replica.port} to catch up`, deadlineMs });
}

/**
 * Starts replication again whenever it has stopped (a lock wait that timed out once too often, a full disk that has
 * space again).
 * @returns a function that ends the watch
 */
export function watchReplication(replicas: readonly ReplicationOptions[], log: (line: string) => void): () => void {
  const timer = setInterval(() => {
    for (const options of replicas) {
      const admin = credentialsOf(options.secrets, 'admin');
      requireReplicating(options.replica, admin).catch(() =>
        ensureReplication(options).catch((error: Error & { code?: string }) => {
          if (error.code !== 'ECONNREFUSED') log(`replica on port ${options.replica.port}: ${error.message}`);
        }),
      );
    }
  }, WATCH_INTERVAL_MS);
  return () => clearInterval(timer);
}

const WATCH_INTERVAL_MS = 2_000;
