import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { ROOT_DIR } from '../../deploy/local/stack/index.js';
import { forgetEverything } from './support/batch.js';
import { adminConnection, eventually, generate } from './support/stack.js';
import { TEST_STATE_DIR } from './support/test-stack.js';

const DAY = '2026-11-01';
const NEXT = '2026-11-02';

let db: Connection;
let folder: string;

beforeAll(async () => {
  db = await adminConnection();
  folder = await mkdtemp(join(tmpdir(), 'playbill-ops-'));
  await forgetEverything();
  for (const day of [DAY, NEXT]) await generate({ day, events: 2_000, videos: 50, creators: 5, seed: 9 });
}, 60_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await db.end();
});

interface Outcome {
  readonly code: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the command
  readonly json: any;
}

/** One command line, as an operator types it. */
function ops(...args: string[]): Promise<Outcome> {
  const main = join(ROOT_DIR, '.local', 'build', 'services', 'ops', 'main.js');
  const env = { ...process.env, PLAYBILL_STATE_DIR: TEST_STATE_DIR };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--no-warnings', main, ...args], { env }, (error, stdout, stderr) => {
      const json = args.includes('--json') ? JSON.parse(stdout) : undefined;
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr, json });
    });
  });
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const positions = async () => {
  const [rows] = await db.query('SELECT video_id, views, ads FROM playbill_batch.position ORDER BY video_id');
  return (rows as Record<string, string>[]).map((row) => [Number(row.video_id), Number(row.views), Number(row.ads)]);
};

const TARIFF = {
  effectiveFrom: NEXT,
  rounding: 'line',
  view: [{ from: 0, unitPrice: 2 }],
  ad: [{ from: 0, unitPrice: 1.5 }],
};

test('opening positions are checked whole before anything is written, and brought in once, before the books open', async () => {
  const bad = await file('bad.csv', 'videoId,views,adViews\n1,5,5\n2,-3,0\n1,7,0\n99999,1,1\n3,1\n');
  const refused = await ops('opening', '--file', bad);
  expect(refused.code).toBe(1);
  for (const problem of ['line 3: views', 'line 4: video 1 is on line 2', 'line 6: has 2 fields']) {
    expect(refused.text).toContain(problem);
  }
  const unknown = await ops(
    'opening',
    '--file',
    await file('unknown.csv', 'videoId,views,adViews\n1,5,5\n99999,1,1\n'),
  );
  expect(unknown.text).toContain('line 3: video 99999 is not registered');
  expect(await positions()).toEqual([]);

  const good = await file('good.csv', 'videoId,views,adViews\r\n1,99999,0\r\n2,0,499999\r\n');
  expect(await ops('opening', '--file', good, '--json')).toMatchObject({
    code: 0,
    json: { videos: 2, unchanged: false },
  });
  expect(await ops('opening', '--file', good, '--json')).toMatchObject({ code: 0, json: { unchanged: true } });
  const other = await ops('opening', '--file', await file('other.csv', 'videoId,views,adViews\n3,1,1\n'));
  expect(other).toMatchObject({ code: 1, text: expect.stringContaining('OPENING_LOADED') });
  expect(await positions()).toEqual([
    [1, 99_999, 0],
    [2, 0, 499_999],
  ]);
}, 60_000);

test('a held day waits, a released one is settled, and chains begin at the opening positions', async () => {
  expect((await ops('hold', '--date', DAY, '--reason', 'suspicion')).code).toBe(0);
  expect((await ops('holds')).text).toContain('suspicion');
  expect(await ops('run', '--date', DAY)).toMatchObject({ code: 1, text: expect.stringContaining('RUN_HELD') });
  expect((await ops('release', '--date', DAY, '--reason', 'cleared')).text).toContain('goes on');
  await eventually(async () => (await ops('reconcile', '--date', DAY)).code === 0 || undefined, {
    what: 'the released day to be proven',
    deadlineMs: 30_000,
  });
  const [[first]] = (await db.query(
    "SELECT from_position FROM playbill_batch.posting WHERE video_id = 1 AND kind = 'view' AND seq = 1",
  )) as never as [[{ from_position: string }]];
  expect(Number(first.from_position)).toBe(99_999);
}, 60_000);

test('a tariff is previewed, added, listed, and refused for a settled day', async () => {
  const tariff = await file('tariff.json', JSON.stringify(TARIFF));
  const preview = await ops('tariff', 'preview', '--file', tariff, '--from', DAY, '--to', NEXT, '--json');
  expect(preview.json).toMatchObject({ days: [DAY] });
  expect((await ops('tariff', 'preview', '--file', tariff, '--from', DAY, '--to', NEXT)).text).toContain(
    'by this tariff',
  );
  expect(await ops('tariff', 'add', '--file', tariff, '--json')).toMatchObject({ code: 0, json: { version: 2 } });
  expect((await ops('tariff', 'list')).text).toContain('2026-11-02');
  const late = await file('late.json', JSON.stringify({ ...TARIFF, effectiveFrom: DAY }));
  expect(await ops('tariff', 'add', '--file', late)).toMatchObject({
    code: 1,
    text: expect.stringContaining('TARIFF_CLOSED_DAY'),
  });
}, 60_000);

test('revoked events are taken back, everything is proven, and the audit log has it all', async () => {
  expect((await ops('run', '--date', NEXT)).code).toBe(0);
  const [[event]] = (await db.query(
    `SELECT LOWER(HEX(event_id)) AS id FROM playbill_watch.watch_event WHERE day = '${DAY}' AND reason = 0 LIMIT 1`,
  )) as never as [[{ id: string }]];
  const id = event.id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  expect((await ops('revoke', '--event', id, '--reason', 'robot')).code).toBe(0);
  await eventually(
    async () => {
      const [rows] = await db.query("SELECT 1 FROM playbill_batch.adjustment WHERE cause = 'REVOKED'");
      const [active] = await db.query('SELECT 1 FROM playbill_batch.run WHERE active_day IS NOT NULL');
      return ((rows as unknown[]).length > 0 && (active as unknown[]).length === 0) || undefined;
    },
    { what: 'the adjustment', deadlineMs: 30_000 },
  );
  const all = await ops('reconcile', '--all');
  expect(all).toMatchObject({ code: 0, text: expect.stringContaining('differences: none') });
  const audit = await ops('audit', '--json');
  const actions = audit.json.items.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(
    expect.arrayContaining(['events.revoke', 'tariff.add', 'day.release', 'day.hold', 'opening.load', 'run.request']),
  );
  expect((await ops('audit')).text).toContain('robot');

  await db.query('UPDATE playbill_batch.posting SET amount = amount + 1 WHERE event_day = ? LIMIT 1', [NEXT]);
  expect(await ops('reconcile', '--all')).toMatchObject({ code: 1, text: expect.stringContaining('posting/amount') });
}, 60_000);

test.each([
  [['reconcile']],
  [['revoke', '--reason', 'x']],
  [['revoke', '--viewer', 'nobody', '--from', DAY, '--to', NEXT, '--reason', 'x']],
  [['hold', '--date', 'yesterday', '--reason', 'x']],
  [['tariff', 'add', '--file', '/nowhere.json']],
])('%s fails with one line and an exit code', async (args) => {
  const outcome = await ops(...args);
  expect(outcome.code).not.toBe(0);
  expect(outcome.text.trim().split('\n')).toHaveLength(1);
});
