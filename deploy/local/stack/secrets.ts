import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ACCOUNTS } from '#lib/database';
import type { StateLayout } from './paths.js';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The stack's secrets, in the form of Dapr's file secret store: each is an object of texts. */
export type Secrets = Record<string, Record<string, string>>;

/**
 * Shown between app and sidecar (both ways), by the scraper to the gateway, by the command line to the user service;
 * encrypts signing keys.
 */
const TOKENS = ['dapr-api-token', 'app-api-token', 'scrape-token', 'ops-key', 'user-key-encryption'];

/** What is not random but follows from the settings of this start. */
export interface SecretSettings {
  readonly primary: string;
  readonly redis: string;
  readonly admin?: Credentials;
  readonly redisPassword?: string;
  /** At the mail server; none for one that takes everything. */
  readonly mail?: Credentials;
}

/**
 * Reads the secrets file, adds what is missing with random values, and writes it back, readable by its owner only.
 * @throws when the file is there but is not JSON: it is not replaced, since databases were made with what it holds
 */
export async function prepareSecrets(layout: StateLayout, settings: SecretSettings): Promise<Secrets> {
  const before = await readExisting(layout.secretsFile);
  const secrets: Secrets = {
    'mysql-admin': settings.admin ? { ...settings.admin } : account(before, 'mysql-admin', 'playbill_admin'),
    'mysql-replication': account(before, 'mysql-replication', 'playbill_replication'),
  };
  for (const name of Object.keys(ACCOUNTS)) {
    secrets[`mysql-${name}`] = account(before, `mysql-${name}`, `playbill_${name.replaceAll('-', '_')}`);
  }
  const { username, password } = secrets['mysql-dapr'] as unknown as Credentials;
  secrets['actor-state'] = {
    connectionString: `${username}:${password}@tcp(${settings.primary})/?allowNativePasswords=true`,
  };
  const redisPassword = settings.redisPassword ?? before.redis?.password ?? randomText();
  secrets.redis = { host: settings.redis, password: redisPassword };
  secrets.smtp = { username: settings.mail?.username ?? '', password: settings.mail?.password ?? '' };
  for (const name of TOKENS) {
    secrets[name] = { token: before[name]?.token ?? randomText() };
  }
  const all = { ...before, ...secrets };
  await writePrivately(layout.secretsFile, `${JSON.stringify(all, null, 2)}\n`);
  return all;
}

/** @throws Error when the secret or its key is missing */
export function secretOf(secrets: Secrets, name: string, key: string): string {
  const value = secrets[name]?.[key];
  if (value === undefined) throw new Error(`the secrets hold no ${name}.${key}`);
  return value;
}

/** The credentials of a database account, e.g. `admin` or `batch`. */
export function credentialsOf(secrets: Secrets, name: string): Credentials {
  return {
    username: secretOf(secrets, `mysql-${name}`, 'username'),
    password: secretOf(secrets, `mysql-${name}`, 'password'),
  };
}

/** Writes a file that only its owner can read, all of it or nothing. */
export async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function readExisting(file: string): Promise<Secrets> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

function account(before: Secrets, name: string, username: string): Record<string, string> {
  return { username, password: before[name]?.password ?? randomText() };
}

/** 192 bits, in letters, digits, - and _ only, so that it needs no quoting anywhere. */
function randomText(): string {
  return randomBytes(24).toString('base64url');
}
