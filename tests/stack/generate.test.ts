import { type ChildProcess, spawn } from 'node:child_process';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { addDays, type KstDay, kstDayOf, SLICE_COUNT } from '#domain';
import { BulkLoader } from '../../services/ops/adapters/bulk-loader.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { type OperatorDatabase, openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { type GenerateReport, generate } from '../../services/ops/generator/generate.js';
import type { GenerateRequest } from '../../services/ops/generator/request.js';
import { forgetEverything } from './support/batch.js';
import { adminConnection, eventually, stack } from './support/stack.js';

const TODAY = kstDayOf(Date.now());
const DAY = addDays(TODAY, -5);
const REQUEST: GenerateRequest = { day: DAY, events: 60_000, videos: 1_000, creators: 100, seed: 5 };

let admin: Connection;
let database: OperatorDatabase;

beforeAll(async () => {
  admin = await adminConnection();
  database = await openOperatorDatabase(installationOf(stack().endpoints, stack().secrets));
  await eventually(async () => (database.replicas.every(({ source }) => source.isInitialized) ? true : undefined), {
    what: 'connections to both replicas',
    deadlineMs: 20_000,
  });
});

afterAll(async () => {
  await database.close();
  await admin.end();
});

beforeEach(forgetEverything);

const generateDay = (changes: Partial<GenerateRequest> = {}): Promise<GenerateReport> =>
  generate({ database, request: { ...REQUEST, ...changes }, today: TODAY });

const EVERY_COLUMN = `CONCAT_WS('|', day, slice, video_id, HEX(event_id), viewer, watched_at, played_time, last_watched,
  ad_view_count, reason)`;

/** Count and checksum of the day's rows on a server. */
async function contentOf(server: Pick<Connection, 'query'>, day: KstDay): Promise<string> {
  const [rows] = await server.query<RowDataPacket[]>(
    `SELECT COUNT(*) AS count, BIT_XOR(CRC32(${EVERY_COLUMN})) AS crc FROM playbill_watch.watch_event WHERE day = ?`,
    [day],
  );
  return `${rows[0]!.count} rows, ${rows[0]!.crc}`;
}

async function contentOfReplicas(day: KstDay): Promise<string[]> {
  const { username: user, password } = installationOf(stack().endpoints, stack().secrets).operator;
  return Promise.all(
    stack().endpoints.replicas.map(async ({ endpoint }) => {
      const replica = await createConnection({ ...endpoint, user, password, timezone: 'Z' });
      try {
        return await contentOf(replica, day);
      } finally {
        await replica.end();
      }
    }),
  );
}

async function dirtySlices(day: KstDay): Promise<number> {
  const [rows] = await admin.query<RowDataPacket[]>(
    'SELECT COUNT(*) AS count FROM playbill_watch.dirty_slice WHERE day = ?',
    [day],
  );
  return Number(rows[0]!.count);
}

async function countEvents(day: KstDay): Promise<number> {
  return Number.parseInt(await contentOf(admin, day), 10);
}

describe('a generated day', () => {
  test('made twice is the same rows, and the second time says that nothing is new', async () => {
    expect(await generateDay()).toMatchObject({ newEvents: 60_000, newVideos: 1_000 });
    const first = await contentOf(admin, DAY);
    expect(first).toMatch(/^60000 rows/);
    expect(await generateDay()).toMatchObject({ newEvents: 0, newVideos: 0 });
    expect(await contentOf(admin, DAY)).toBe(first);
  });

  test('is on both replicas, row for row, when the command says so', async () => {
    const report = await generateDay();
    expect(report.replicas).toHaveLength(2);
    expect(report.replicas.every((replica) => replica.caughtUp)).toBe(true);
    const primary = await contentOf(admin, DAY);
    expect(await contentOfReplicas(DAY)).toEqual([primary, primary]);
  });

  test('that was cut short by kill -9 is completed by repeating it', async () => {
    await generateDay();
    const whole = await contentOf(admin, DAY);
    await forgetEverything();
    const process = startCommand();
    await eventually(async () => ((await countEvents(DAY)) > 0 ? true : undefined), {
      what: 'the first chunk',
      deadlineMs: 30_000,
    });
    process.kill('SIGKILL');
    await new Promise((resolve) => process.once('close', resolve));
    const report = await generateDay();
    expect(report.newEvents).toBeLessThan(REQUEST.events);
    expect(await contentOf(admin, DAY)).toBe(whole);
  }, 60_000);

  test('marks every slice that it has changed, and none when it changes nothing', async () => {
    await generateDay();
    expect(await dirtySlices(DAY)).toBe(SLICE_COUNT);
    await admin.query('DELETE FROM playbill_watch.dirty_slice');
    await generateDay();
    expect(await dirtySlices(DAY)).toBe(0);
    await generateDay({ events: 10, videos: 1, creators: 100, seed: 6, day: addDays(DAY, 1) });
    expect(await dirtySlices(addDays(DAY, 1))).toBe(1);
  });

  test('that is not over yet marks nothing', async () => {
    await generateDay({ day: TODAY, events: 1_000 });
    expect(await countEvents(TODAY)).toBe(1_000);
    expect(await dirtySlices(TODAY)).toBe(0);
  });

  test('is refused when its videos are there with other creators, and nothing is stored', async () => {
    await generateDay();
    const other = generateDay({ creators: 99, day: addDays(DAY, 1) });
    await expect(other).rejects.toMatchObject({ code: 'CATALOGUE_DIFFERS' });
    expect(await countEvents(addDays(DAY, 1))).toBe(0);
  });

  test('has the titles of its videos unchanged', async () => {
    await generateDay({ videos: 20, creators: 1, events: 1 });
    const [rows] = await admin.query<RowDataPacket[]>(
      'SELECT HEX(title) AS title FROM playbill_video.video WHERE video_id IN (1, 17) ORDER BY video_id',
    );
    const titles = rows.map((row) => Buffer.from(row.title, 'hex').toString('utf8'));
    expect(titles).toEqual(['주말 기타 연주 1화', '느린 시장 구경 17화 🚲']);
  });
});

test('a bulk load whose values do not fit is undone, not made to fit', async () => {
  const loader = await BulkLoader.connect(database.primaryEndpoint, database.credentials);
  const rows = `1\t1\ta title\t60\t2020-01-01 00:00:00\n2\t1\t${'x'.repeat(201)}\t60\t2020-01-01 00:00:00\n`;
  const load = {
    table: 'playbill_video.video',
    fields: '(video_id, creator_id, title, length_seconds, created_at)',
    blocks: [Buffer.from(rows)],
    rows: 2,
  };
  try {
    await expect(loader.transaction(() => loader.load(load))).rejects.toThrow('2 rows were sent');
    const [stored] = await admin.query<RowDataPacket[]>('SELECT video_id FROM playbill_video.video');
    expect(stored).toEqual([]);
  } finally {
    await loader.close();
  }
});

/** The command line, as an operator runs it, with more rows than it can load before it is killed. */
function startCommand(): ChildProcess {
  const { day, events, videos, creators, seed } = REQUEST;
  const options = { day, events, videos, creators, seed };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return spawn(process.execPath, ['.local/build/services/ops/main.js', 'generate', ...args, '--json'], {
    stdio: 'ignore',
    env: { ...process.env, PLAYBILL_STATE_DIR: stack().layout.stateDir },
  });
}
