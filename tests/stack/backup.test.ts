import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { addDays, type KstDay, kstDayOf } from '#domain';
import {
  connectPool,
  credentialsOf,
  layoutOf,
  ROOT_DIR,
  type Stack,
  startStack,
} from '../../deploy/local/stack/index.js';
import { batchClientOf } from '../../services/ops/adapters/batch-client.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { restore } from '../../services/ops/backup/restore.js';
import { digests, forgetEverything, runDay } from './support/batch.js';
import { adminPool, generate, stack } from './support/stack.js';

const DAYS = [-3, -2].map((days) => addDays(kstDayOf(Date.now()), days)) as [KstDay, KstDay];
const ELSEWHERE = join(ROOT_DIR, '.local', 'restore-test');
const PORT_OFFSET = 5_000 + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);

let dir: string;

/** Runs an operator's command on the tests' stack. */
async function ops(...args: string[]) {
  const program = join(ROOT_DIR, '.local', 'build', 'services', 'ops', 'main.js');
  return promisify(execFile)(process.execPath, [program, ...args], {
    cwd: ROOT_DIR,
    env: { ...process.env, NODE_OPTIONS: '', PLAYBILL_STATE_DIR: stack().layout.stateDir },
  });
}

beforeAll(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'playbill-backup-')), 'b');
  await forgetEverything();
  for (const day of DAYS) {
    await generate({ day, events: 20_000, videos: 800, seed: 9 });
    expect((await runDay(day)).state).toBe('completed');
  }
  await ops('backup', '--to', dir);
});

afterAll(async () => {
  await rm(join(dir, '..'), { recursive: true, force: true });
  await rm(ELSEWHERE, { recursive: true, force: true });
});

/** A stack elsewhere, with the secrets that belong to the backup, and the backup brought in before its services start. */
async function startElsewhere(from: string): Promise<Stack> {
  await rm(ELSEWHERE, { recursive: true, force: true });
  await mkdir(ELSEWHERE, { recursive: true });
  await cp(stack().layout.secretsFile, layoutOf(ELSEWHERE).secretsFile);
  return startStack({
    stateDir: ELSEWHERE,
    portOffset: PORT_OFFSET,
    services: ['batch', 'user'],
    env: { PLAYBILL_DB_LOG_SIZE: '256M' },
    beforeServices: async ({ endpoints, secrets }) => {
      const database = await openOperatorDatabase(installationOf(endpoints, secrets));
      try {
        const { primary, primaryEndpoint: server, credentials } = database;
        await restore({ login: { server, credentials }, db: primary, dir: from });
      } finally {
        await database.close();
      }
    },
  });
}

describe('a backup', () => {
  test('restored elsewhere is the same books, proven by their reconciliation', async () => {
    const elsewhere = await startElsewhere(dir);
    const [here, there] = [
      adminPool(),
      connectPool(elsewhere.endpoints.primary, credentialsOf(elsewhere.secrets, 'admin')),
    ];
    try {
      expect(await digests(there)).toEqual(await digests(here));
      const batch = batchClientOf(installationOf(elsewhere.endpoints, elsewhere.secrets));
      for (const day of DAYS) {
        expect(await batch.reconciliation(day)).toMatchObject({ events: 20_000, differences: [] });
      }
    } finally {
      await Promise.all([here.end(), there.end()]);
      await elsewhere.stop();
    }
  });

  test('is refused by a database that has rows, which stay as they are', async () => {
    const before = await withPool(digests);
    await expect(ops('restore', '--from', dir)).rejects.toMatchObject({
      stderr: expect.stringContaining('DATABASE_NOT_EMPTY'),
    });
    expect(await withPool(digests)).toEqual(before);
  });

  test('that was damaged is refused before anything is changed', async () => {
    const damaged = `${dir}-damaged`;
    await cp(dir, damaged, { recursive: true });
    appendFileSync(join(damaged, 'playbill.sql.gz'), 'x');
    await expect(ops('restore', '--from', damaged)).rejects.toMatchObject({
      stderr: expect.stringContaining('BACKUP_DAMAGED'),
    });
  });

  test('does not overwrite another', async () => {
    await expect(ops('backup', '--to', dir)).rejects.toMatchObject({
      stderr: expect.stringContaining('FOLDER_NOT_EMPTY'),
    });
  });
});

async function withPool<T>(work: (db: ReturnType<typeof adminPool>) => Promise<T>): Promise<T> {
  const db = adminPool();
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}
