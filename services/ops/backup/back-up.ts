import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Queryable } from '#lib/database';
import { CommandError } from '../errors.js';
import { type DatabaseLogin, findTool, SCHEMA_PREFIX, startTool, withOptionsFile } from './database-tools.js';

/** What a backup says of itself, beside its data. */
export interface BackupManifest {
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly serverVersion: string;
  readonly schemas: readonly string[];
  /** Of the compressed file. */
  readonly bytes: number;
  readonly sha256: string;
}

export const DATA_FILE = 'playbill.sql.gz';
export const MANIFEST_FILE = 'manifest.json';
/** Passwords of the server that was backed up: the one that takes the backup in makes its own. */
const IGNORED_TABLE = 'playbill_meta.account_fingerprint';

export interface BackUpOptions {
  readonly login: DatabaseLogin;
  readonly db: Queryable;
  /** A folder that is made for this backup. */
  readonly dir: string;
}

/**
 * Writes every schema of ours as it is at one instant (one repeatable read; writers are not held up) into a folder of
 * its own. The folder has its manifest only when the backup is whole.
 * @throws CommandError FOLDER_NOT_EMPTY, TOOL_MISSING, TOOL_FAILED
 */
export async function backUp({ login, db, dir }: BackUpOptions): Promise<BackupManifest> {
  const dump = findTool('mariadb-dump', 'mysqldump');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await refuseExisting(join(dir, MANIFEST_FILE));
  const schemas = await schemasOf(db);
  const [{ version }] = await db.query('SELECT VERSION() AS version');
  const startedAt = new Date().toISOString();
  const unfinished = join(dir, `${DATA_FILE}.new`);
  const args = [
    '--single-transaction',
    '--quick',
    '--hex-blob',
    '--no-tablespaces',
    '--skip-lock-tables',
    '--default-character-set=utf8mb4',
    '--tz-utc',
    `--ignore-table=${IGNORED_TABLE}`,
    '--databases',
    ...schemas,
  ];
  try {
    const written = await withOptionsFile(login, (file) =>
      writeCompressed(dump, [`--defaults-extra-file=${file}`, ...args], unfinished),
    );
    await rename(unfinished, join(dir, DATA_FILE));
    const manifest: BackupManifest = { startedAt, serverVersion: String(version), schemas, ...written };
    await writeFile(join(dir, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    return manifest;
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function refuseExisting(path: string): Promise<void> {
  const file = await open(path, 'r').catch(() => undefined);
  await file?.close();
  if (file !== undefined) throw new CommandError('FOLDER_NOT_EMPTY', `${path} is there already: name a new folder`);
}

async function schemasOf(db: Queryable): Promise<string[]> {
  const rows: { name: string }[] = await db.query(
    'SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ? ORDER BY SCHEMA_NAME',
    [`${SCHEMA_PREFIX.replace('_', '\\_')}%`],
  );
  return rows.map((row) => row.name);
}

async function writeCompressed(program: string, args: readonly string[], file: string) {
  const tool = startTool(program, args);
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(
    tool.child.stdout!,
    createGzip({ level: 3 }),
    measure,
    createWriteStream(file, { mode: 0o600, flush: true }),
  );
  await tool.done;
  return { bytes, sha256: hash.digest('hex') };
}
