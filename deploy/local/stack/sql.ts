import { type Connection, createConnection, createPool, type Pool, type RowDataPacket } from 'mysql2/promise';
import type { Endpoint } from './endpoints.js';
import type { Credentials } from './secrets.js';

/** Opens one connection; dates and 64-bit integers come as text, instants are UTC. */
export function connect(server: Endpoint, credentials: Credentials): Promise<Connection> {
  return createConnection(connectionOptions(server, credentials));
}

/** A pool of such connections: it goes on after the server was restarted. */
export function connectPool(server: Endpoint, credentials: Credentials): Pool {
  return createPool(connectionOptions(server, credentials));
}

function connectionOptions({ host, port }: Endpoint, { username, password }: Credentials) {
  return {
    host,
    port,
    user: username,
    password,
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    charset: 'utf8mb4',
    connectTimeout: 3_000,
  };
}

/** Runs `work` on a connection of its own. */
export async function withConnection<T>(
  server: Endpoint,
  credentials: Credentials,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(server, credentials);
  // A server that dies while the connection is idle must not end this process.
  connection.on('error', () => undefined);
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

/** @returns the first row, or undefined */
export async function firstRow(
  connection: Connection,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown> | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, values);
  return rows[0];
}
