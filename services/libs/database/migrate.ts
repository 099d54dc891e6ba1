import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { ConfigError, type Endpoint, endpoint, readConfig } from '#lib/config';
import { ACCOUNTS, type Account, secretName } from './accounts.js';
import { type Credentials, dataSourceOptions } from './connections.js';
import { surplusGrants } from './grants.js';
import { migrations } from './migrations/index.js';

const META_SCHEMA = 'playbill_meta';
const LOCK_WAIT_SECONDS = 120;

export interface MigrateOptions {
  readonly primary: Endpoint;
  readonly admin: Credentials;
  readonly accounts: Readonly<Record<Account, Credentials>>;
}

/**
 * Brings the schemas, tables, accounts and grants up to date. Safe to run at any time, by several at once, and again
 * after it was killed: what is done is skipped.
 * @returns names of the migrations that were run
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const connection = { credentials: options.admin, poolSize: 2 };
  const bootstrap = await new DataSource(dataSourceOptions(options.primary, connection)).initialize();
  const runner = bootstrap.createQueryRunner();
  try {
    const [lock] = await runner.query(`SELECT GET_LOCK('playbill-migrate', ${LOCK_WAIT_SECONDS}) AS got`);
    if (Number(lock.got) !== 1) throw new Error('another migration has been running for two minutes');
    await runner.query(`CREATE DATABASE IF NOT EXISTS ${META_SCHEMA} CHARACTER SET utf8mb4`);
    const source = await new DataSource({
      ...dataSourceOptions(options.primary, { ...connection, database: META_SCHEMA }),
      migrations,
      migrationsTableName: 'migration',
      migrationsTransactionMode: 'none',
    }).initialize();
    try {
      const done = await source.runMigrations();
      await provisionAccounts(source, options.accounts);
      return done.map((migration) => migration.name);
    } finally {
      await source.destroy();
    }
  } finally {
    await runner.release();
    await bootstrap.destroy();
  }
}

/**
 * Creates accounts and sets exactly their grants; skipped for an account whose definition has not changed. Services of
 * the release before use the accounts meanwhile, so no right is missing for a moment: what is new is granted first, and
 * what no definition names any more is revoked by itself.
 */
async function provisionAccounts(source: DataSource, accounts: MigrateOptions['accounts']): Promise<void> {
  await source.query(
    'CREATE TABLE IF NOT EXISTS account_fingerprint (account VARCHAR(64) PRIMARY KEY, fingerprint CHAR(64) NOT NULL)',
  );
  const rows: { account: string; fingerprint: string }[] = await source.query('SELECT * FROM account_fingerprint');
  const known = new Map(rows.map((row) => [row.account, row.fingerprint]));
  for (const account of Object.keys(ACCOUNTS) as Account[]) {
    const fingerprint = fingerprintOf(account, accounts[account]);
    if (known.get(account) === fingerprint) continue;
    await provisionAccount(source, account, accounts[account]);
    await source.query('REPLACE INTO account_fingerprint VALUES (?, ?)', [account, fingerprint]);
  }
}

async function provisionAccount(source: DataSource, account: Account, credentials: Credentials): Promise<void> {
  const user = `'${credentials.username}'@'%'`;
  await source.query(`CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY ?`, [credentials.password]);
  await source.query(`ALTER USER ${user} IDENTIFIED BY ?`, [credentials.password]);
  const grantAll = async () => {
    for (const { privileges, on } of ACCOUNTS[account]) await source.query(`GRANT ${privileges} ON ${on} TO ${user}`);
  };
  await grantAll();
  const shown: Record<string, string>[] = await source.query(`SHOW GRANTS FOR ${user}`);
  const lines = shown.map((row) => Object.values(row)[0] ?? '');
  const surplus = surplusGrants(lines, ACCOUNTS[account]);
  for (const { privileges, on } of surplus) await source.query(`REVOKE ${privileges} ON ${on} FROM ${user}`);
  // What was revoked as ALL PRIVILEGES may have held what is wanted.
  if (surplus.length > 0) await grantAll();
}

function fingerprintOf(account: Account, credentials: Credentials): string {
  return createHash('sha256')
    .update(JSON.stringify([ACCOUNTS[account], credentials]))
    .digest('hex');
}

const credentialsSchema = z.object({ username: z.string().regex(/^\w+$/), password: z.string().min(16) });

type AllCredentials = Pick<MigrateOptions, 'admin' | 'accounts'>;

/** Reads the accounts' credentials from a secrets file of the local deployment. */
export async function readSecretsFile(path: string): Promise<AllCredentials> {
  const secrets = JSON.parse(await readFile(path, 'utf8'));
  return readCredentials(async (name) => credentialsSchema.parse(secrets[name]));
}

/** Reads the accounts' credentials from a folder as Kubernetes mounts secrets: `<dir>/<secret>/<key>`. */
export async function readSecretsDir(dir: string): Promise<AllCredentials> {
  const read = (name: string, key: string) => readFile(join(dir, name, key), 'utf8');
  return readCredentials(async (name) =>
    credentialsSchema.parse({ username: await read(name, 'username'), password: await read(name, 'password') }),
  );
}

async function readCredentials(read: (secret: string) => Promise<Credentials>): Promise<AllCredentials> {
  const names = Object.keys(ACCOUNTS) as Account[];
  const accounts = await Promise.all(names.map(async (account) => [account, await read(secretName(account))] as const));
  return { admin: await read('mysql-admin'), accounts: Object.fromEntries(accounts) as Record<Account, Credentials> };
}

/** One of the two variables says where the secrets are. */
export const migrateConfigSchema = z.object({
  /** The server that is brought up to date, `host:port`. */
  PLAYBILL_DB_PRIMARY: endpoint,
  /** JSON in the form of Dapr's file secret store. */
  PLAYBILL_SECRETS_FILE: z.string().min(1).optional(),
  /** A folder of folders, as Kubernetes mounts secrets. */
  PLAYBILL_SECRETS_DIR: z.string().min(1).optional(),
});

async function main(): Promise<void> {
  const config = readConfig(migrateConfigSchema);
  const { PLAYBILL_SECRETS_DIR: dir, PLAYBILL_SECRETS_FILE: file } = config;
  if (dir === undefined && file === undefined) {
    throw new ConfigError('PLAYBILL_SECRETS_FILE or PLAYBILL_SECRETS_DIR has to be set');
  }
  const secrets = dir === undefined ? await readSecretsFile(file!) : await readSecretsDir(dir);
  const done = await migrate({ primary: config.PLAYBILL_DB_PRIMARY, ...secrets });
  console.log(done.length === 0 ? 'schema is up to date' : `ran ${done.length} migrations`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
