import { DataSource } from 'typeorm';
import type { Endpoint } from '#lib/config';
import { type Credentials, connectDatabase, type Dialect, dataSourceOptions } from '#lib/database';
import { CommandError } from '../errors.js';
import type { Installation } from './installation.js';

/** The database as the operator's commands use it. */
export interface OperatorDatabase {
  readonly primary: DataSource;
  readonly primaryEndpoint: Endpoint;
  readonly credentials: Credentials;
  readonly replicas: readonly { readonly name: string; readonly source: DataSource }[];
  readonly dialect: Dialect;
  /** May change partitions. */
  readonly maintenance: DataSource;
  close(): Promise<void>;
}

const POOL_SIZE = 2;

/** @throws CommandError DATABASE_UNAVAILABLE when the primary cannot be reached */
export async function openOperatorDatabase(installation: Installation): Promise<OperatorDatabase> {
  const { primary, replicas, operator } = installation;
  const options = { credentials: operator, poolSize: POOL_SIZE };
  try {
    const database = await connectDatabase({
      primary,
      replicas: replicas.map((replica) => replica.endpoint),
      ...options,
    });
    const maintenance = await new DataSource(
      dataSourceOptions(primary, { credentials: installation.maintenance, poolSize: 1 }),
    ).initialize();
    return {
      primary: database.primary,
      primaryEndpoint: primary,
      credentials: operator,
      replicas: database.replicas.map((source, index) => ({ name: replicas[index]!.name, source })),
      dialect: database.dialect,
      maintenance,
      async close() {
        await Promise.all([database.close(), maintenance.destroy()]);
      },
    };
  } catch (error) {
    throw new CommandError(
      'DATABASE_UNAVAILABLE',
      `the primary at ${primary.host}:${primary.port} cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
