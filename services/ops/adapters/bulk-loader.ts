import { Readable } from 'node:stream';
import { type Connection, createConnection, type QueryOptions, type ResultSetHeader } from 'mysql2/promise';
import type { Endpoint } from '#lib/config';
import type { Credentials } from '#lib/database';

/** Rows for one table, as lines of fields separated by tabs, in UTF-8. */
export interface Load {
  /** `table (columns or variables) SET …`: what follows the lines' format in LOAD DATA. */
  readonly table: string;
  readonly fields: string;
  readonly blocks: readonly Buffer[];
  readonly rows: number;
}

/** A connection that loads rows by the server's bulk protocol. Rows whose key is there already are left as they are. */
export class BulkLoader {
  private constructor(private readonly connection: Connection) {}

  static async connect(primary: Endpoint, credentials: Credentials): Promise<BulkLoader> {
    const connection = await createConnection({
      host: primary.host,
      port: primary.port,
      user: credentials.username,
      password: credentials.password,
      timezone: 'Z',
      charset: 'utf8mb4',
      connectTimeout: 5_000,
    });
    await connection.query("SET SESSION time_zone = '+00:00'");
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    return new BulkLoader(connection);
  }

  /**
   * Loads the rows within the transaction at hand.
   * @returns how many were new
   * @throws when the server read another number of rows than was sent, or changed a value to make it fit
   */
  async load(load: Load): Promise<number> {
    const options: QueryOptions = {
      sql: `LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE ${load.table} CHARACTER SET utf8mb4
        FIELDS TERMINATED BY '\\t' LINES TERMINATED BY '\\n' ${load.fields}`,
      infileStreamFactory: () => Readable.from(load.blocks, { objectMode: false }),
    };
    const [result] = await this.connection.query<ResultSetHeader>(options);
    const counts = /Records: (\d+) +Deleted: (\d+) +Skipped: (\d+) +Warnings: (\d+)/.exec(result.info);
    const [records, , skipped, warnings] = (counts ?? []).slice(1).map(Number);
    if (records !== load.rows || warnings !== skipped || result.affectedRows !== records - (skipped ?? 0)) {
      throw new Error(`${load.table}: ${load.rows} rows were sent, the server answered "${result.info}"`);
    }
    return result.affectedRows;
  }

  /** Runs one statement. */
  async query(sql: string, parameters: readonly unknown[] = []): Promise<void> {
    await this.connection.query(sql, [...parameters]);
  }

  /** Runs `work` in a transaction and commits it; a throw rolls back. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.connection.beginTransaction();
    try {
      const result = await work();
      await this.connection.commit();
      return result;
    } catch (error) {
      await this.connection.rollback().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.connection.end();
  }
}
