import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import type { Queryable } from '#lib/database';
import { CommandError } from '../errors.js';
import { type BackupManifest, DATA_FILE, MANIFEST_FILE } from './back-up.js';
import { type DatabaseLogin, findTool, startTool, withOptionsFile } from './database-tools.js';

const manifestSchema = z.object({
  startedAt: z.iso.datetime(),
  serverVersion: z.string(),
  schemas: z.array(z.string().regex(/^playbill_\w+$/)).min(1),
  bytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export interface RestoreOptions {
  readonly login: DatabaseLogin;
  readonly db: Queryable;
  readonly dir: string;
}

/**
 * Brings a backup into a server without data, whose services do not run yet. The file is checked whole first.
 * @throws CommandError BACKUP_UNREADABLE, BACKUP_DAMAGED, DATABASE_NOT_EMPTY (nothing was changed), TOOL_FAILED
 */
export async function restore({ login, db, dir }: RestoreOptions): Promise<BackupManifest> {
  const client = findTool('mariadb', 'mysql');
  const manifest = await readManifest(dir);
  await requireWhole(join(dir, DATA_FILE), manifest);
  await requireEmpty(db);
  await withOptionsFile(login, async (file) => {
    const tool = startTool(client, [
      `--defaults-extra-file=${file}`,
      '--default-character-set=utf8mb4',
      '--binary-mode',
    ]);
    // When the client gives up, its own words say more than the broken pipe.
    const sent = pipeline(createReadStream(join(dir, DATA_FILE)), createGunzip(), tool.child.stdin!).catch(
      (error: unknown) => error,
    );
    await tool.done;
    const error = await sent;
    if (error !== undefined) throw error;
  });
  return manifest;
}

async function readManifest(dir: string): Promise<BackupManifest> {
  const path = join(dir, MANIFEST_FILE);
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new CommandError('BACKUP_UNREADABLE', `${path} is not the manifest of a backup`, { cause: error });
  }
}

async function requireWhole(path: string, { bytes, sha256 }: BackupManifest): Promise<void> {
  const hash = createHash('sha256');
  let read = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk as Buffer);
      read += (chunk as Buffer).length;
    }
  } catch (error) {
    throw new CommandError('BACKUP_UNREADABLE', `${path} cannot be read`, { cause: error });
  }
  if (read === bytes && hash.digest('hex') === sha256) return;
  throw new CommandError(
    'BACKUP_DAMAGED',
    `${path} is not what was written: ${read} bytes of ${bytes}, or changed ones`,
  );
}

/** Tables whose rows nothing could bring back. */
const PRECIOUS = [
  ['playbill_watch', 'watch_event'],
  ['playbill_batch', 'posting'],
  ['playbill_batch', 'run'],
  ['playbill_user', 'user'],
  ['playbill_video', 'video'],
];

async function requireEmpty(db: Queryable): Promise<void> {
  for (const [schema, table] of PRECIOUS) {
    const [there] = await db.query(
      'SELECT 1 AS yes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [schema, table],
    );
    if (there === undefined) continue;
    const [row] = await db.query(`SELECT 1 AS yes FROM ${schema}.${table} LIMIT 1`);
    if (row !== undefined)
      throw new CommandError('DATABASE_NOT_EMPTY', `${schema}.${table} has rows: restore elsewhere`);
  }
}
