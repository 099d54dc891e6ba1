import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Endpoint } from '#lib/config';
import type { Credentials } from '#lib/database';
import { CommandError } from '../errors.js';

export interface DatabaseLogin {
  readonly server: Endpoint;
  readonly credentials: Credentials;
}

/** Every schema of ours; their names all begin so. */
export const SCHEMA_PREFIX = 'playbill_';

const LAST_CHARACTERS = 600;

/** @throws CommandError TOOL_MISSING when none of the programs is in PATH */
export function findTool(...names: string[]): string {
  const dirs = (process.env.PATH ?? '').split(delimiter);
  for (const path of names.flatMap((name) => dirs.map((dir) => join(dir, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new CommandError('TOOL_MISSING', `none of ${names.join(', ')} is installed; they are in mariadb-client`);
}

/** Runs `work` with a file of client options that holds the password: no command line shows it. */
export async function withOptionsFile<T>(login: DatabaseLogin, work: (file: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'playbill-'));
  const file = join(dir, 'client.cnf');
  const { server, credentials } = login;
  const lines = ['[client]', `host=${server.host}`, `port=${server.port}`, 'protocol=TCP'];
  lines.push(`user=${credentials.username}`, `password="${credentials.password}"`);
  try {
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    return await work(file);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A tool whose output, or input, is a stream. */
export interface RunningTool {
  readonly child: ChildProcess;
  /** @throws CommandError TOOL_FAILED with the tool's last words */
  readonly done: Promise<void>;
}

export function startTool(program: string, args: readonly string[]): RunningTool {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.on('data', (data: Buffer) => {
    words = (words + data.toString()).slice(-LAST_CHARACTERS);
  });
  const done = new Promise<void>((resolve, reject) => {
    const fail = (how: string) => reject(new CommandError('TOOL_FAILED', `${program} ${how}: ${words.trim()}`));
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) => (code === 0 ? resolve() : fail(`ended with ${signal ?? code}`)));
  });
  // Whoever streams waits for it; a failure before that must not end the process.
  done.catch(() => undefined);
  return { child, done };
}
