/**
 * What differs between MySQL 8 and MariaDB, in one place. Everything else that we send is understood by both.
 */

/** Anything that runs one statement: a pool, a connection, a query runner. */
export interface Queryable {
  // biome-ignore lint/suspicious/noExplicitAny: rows have the shape of the statement that the caller wrote
  query(sql: string, parameters?: unknown[]): Promise<any>;
}

/** A position in the primary's replication stream, in the server's own notation. */
export type ReplicationPosition = string;

export interface Dialect {
  readonly name: 'mariadb' | 'mysql';
  /** The position of everything committed so far on the primary. */
  currentPosition(primary: Queryable): Promise<ReplicationPosition>;
  /** Waits until a replica has applied the position. @returns false when it has not within the time */
  waitForPosition(replica: Queryable, position: ReplicationPosition, timeoutMs: number): Promise<boolean>;
  /** Name of a case- and accent-insensitive collation for people's text. */
  readonly textCollation: string;
  /** Expression for the value that a conflicting INSERT row would have had. */
  inserted(column: string): string;
}

/** A wait of 0 seconds has no end on MySQL. */
function secondsOf(timeoutMs: number): number {
  return Math.max(timeoutMs, 1) / 1000;
}

export const mariadb: Dialect = {
  name: 'mariadb',
  textCollation: 'utf8mb4_unicode_520_ci',
  async currentPosition(primary) {
    const rows = await primary.query('SELECT @@global.gtid_binlog_pos AS position');
    return String(rows[0].position);
  },
  async waitForPosition(replica, position, timeoutMs) {
    if (position === '') return true;
    const rows = await replica.query('SELECT MASTER_GTID_WAIT(?, ?) AS result', [position, secondsOf(timeoutMs)]);
    return Number(rows[0].result) === 0;
  },
  inserted: (column) => `VALUES(${column})`,
};

export const mysql8: Dialect = {
  name: 'mysql',
  textCollation: 'utf8mb4_0900_ai_ci',
  async currentPosition(primary) {
    const rows = await primary.query('SELECT @@global.gtid_executed AS position');
    return String(rows[0].position).replaceAll('\n', '');
  },
  async waitForPosition(replica, position, timeoutMs) {
    if (position === '') return true;
    const rows = await replica.query('SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS result', [
      position,
      secondsOf(timeoutMs),
    ]);
    return Number(rows[0].result) === 0;
  },
  inserted: (column) => `VALUES(${column})`,
};

/** The dialect of a server, by its version text. */
export function dialectOf(versionText: string): Dialect {
  return /mariadb/i.test(versionText) ? mariadb : mysql8;
}
