import { mkdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { Endpoint } from './endpoints.js';
import type { ProcessSpec } from './managed-process.js';
import type { StateLayout } from './paths.js';
import { type Secrets, secretOf, writePrivately } from './secrets.js';
import { StopOrder } from './stop-order.js';

export interface RedisOptions {
  readonly layout: StateLayout;
  readonly program: string;
  readonly endpoint: Endpoint;
  readonly secrets: Secrets;
  readonly env: NodeJS.ProcessEnv;
}

/** Writes the server's settings, the password among them, and tells how it is run. */
export async function prepareRedis({ layout, program, endpoint, secrets, env }: RedisOptions): Promise<ProcessSpec> {
  const password = secretOf(secrets, 'redis', 'password');
  const settingsFile = join(layout.redisDir, 'redis.conf');
  const settings = [
    `bind ${endpoint.host}`,
    `port ${endpoint.port}`,
    `requirepass ${password}`,
    'dir .',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
  await mkdir(layout.redisDir, { recursive: true });
  await writePrivately(settingsFile, `${settings.join('\n')}\n`);
  return {
    name: 'redis',
    command: program,
    args: [settingsFile],
    env: { PATH: env.PATH, TZ: 'UTC' },
    cwd: layout.redisDir,
    check: () => requireRedis(endpoint, password),
    stopGraceMs: 10_000,
    stopOrder: StopOrder.redis,
  };
}

const ANSWER_MS = 2_000;

/** @throws when Redis does not answer, refuses the password, or is still reading its data */
export function requireRedis(endpoint: Endpoint, password: string | undefined): Promise<void> {
  const commands = [...(password === undefined ? [] : [['AUTH', password]]), ['PING']];
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(endpoint, () => socket.write(commands.map(encode).join('')));
    const finish = (error?: Error) => {
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.setTimeout(ANSWER_MS, () => finish(new Error('Redis does not answer')));
    socket.on('error', finish);
    socket.on('close', () => finish(new Error('Redis has closed the connection')));
    socket.on('data', (data) => {
      answer += data.toString();
      if (answer.includes('+PONG\r\n')) finish();
      else if (/(^|\n)-/.test(answer)) finish(new Error(`Redis: ${answer.trim()}`));
    });
  });
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
