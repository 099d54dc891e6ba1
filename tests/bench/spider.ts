import { randomBytes } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { SLICE_COUNT } from '#domain';
import { connect, type Endpoint } from '../../deploy/local/stack/index.js';
import { VIDEO_SUMS } from '../../services/batch/repositories/event-repository.js';
import { type SpiderServers, startSpiderServers } from './spider-servers.js';
import { type Bench, type BenchOptions, printTable, seconds } from './support.js';

const PORT_OFFSET = 7_000 + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);
const DAY = '2026-06-01';
const VIDEOS = 20_000;
const NODES = 2;
const STATEMENT_ROWS = 500;
const SCHEMA = 'playbill_watch';
const TABLE = `${SCHEMA}.watch_event`;
const COLUMNS = `day DATE NOT NULL, slice TINYINT UNSIGNED NOT NULL, video_id BIGINT NOT NULL, event_id BINARY(16) NOT NULL,
  viewer VARCHAR(38) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, watched_at DATETIME(3) NOT NULL,
  played_time MEDIUMINT UNSIGNED NOT NULL, last_watched MEDIUMINT UNSIGNED NOT NULL,
  ad_view_count SMALLINT UNSIGNED NOT NULL, reason TINYINT UNSIGNED NOT NULL,
  PRIMARY KEY (day, slice, video_id, event_id)`;

/**
 * The events table spread by slice over two data nodes behind MariaDB's Spider engine, beside the same table on one
 * server: durable inserts, and the statement of the nightly run. It stands for a distributed engine that speaks
 * MySQL's language; all servers share this machine, so it shows what the spreading costs, not what more machines give.
 */
export const spider: Bench = {
  name: 'spider',
  needsStack: false,
  async run(_stack, options) {
    const servers = await startSpiderServers({
      stateDir: '.local/bench-spider',
      portOffset: PORT_OFFSET,
      nodes: NODES,
    });
    try {
      await createTables(servers);
      await measure(servers, options);
    } finally {
      await servers.stop();
    }
  },
};

/** On one node of two the whole table lies beside its part, under another schema. */
async function createTables({ head, nodes, admin }: SpiderServers): Promise<void> {
  for (const node of nodes) {
    await withServer(node, admin, async (db) => {
      for (const schema of [SCHEMA, 'single']) {
        await db.query(`CREATE DATABASE ${schema}`);
        await db.query(`CREATE TABLE ${schema}.watch_event (${COLUMNS}) ENGINE=InnoDB
          PARTITION BY RANGE COLUMNS (day) (PARTITION p_first VALUES LESS THAN ('${DAY}'), PARTITION p_rest VALUES LESS THAN (MAXVALUE))`);
      }
    });
  }
  await withServer(head, admin, async (db) => {
    for (const [i, { host, port }] of nodes.entries()) {
      await db.query(`CREATE SERVER node_${i} FOREIGN DATA WRAPPER mysql OPTIONS (HOST '${host}', PORT ${port},
        USER '${admin.username}', PASSWORD '${admin.password}', DATABASE '${SCHEMA}')`);
    }
    const partitions = nodes.map((_node, i) => `PARTITION p${i} VALUES IN (${i}) COMMENT = 'server "node_${i}"'`);
    await db.query(`CREATE DATABASE ${SCHEMA}`);
    await db.query(`CREATE TABLE ${TABLE} (${COLUMNS}) ENGINE=SPIDER COMMENT='wrapper "mysql", table "watch_event"'
      PARTITION BY LIST (slice MOD ${nodes.length}) (${partitions.join(', ')})`);
  });
}

async function measure(servers: SpiderServers, { quick }: BenchOptions): Promise<void> {
  const rows = quick ? 20_000 : 200_000;
  const [first] = servers.nodes as [Endpoint];
  const single: Target = { name: 'one server', table: 'single.watch_event', endpoint: first };
  const spread: Target = { name: `spread over ${NODES}`, table: TABLE, endpoint: servers.head };
  const inserts: string[][] = [];
  for (const connections of [1, 4]) {
    const speeds = [];
    for (const target of [single, spread]) speeds.push(await insertSpeed(servers, target, { rows, connections }));
    inserts.push([String(connections), ...speeds.map(thousands), ratio(speeds[0]!, speeds[1]!)]);
  }
  console.log(`\nInserts by statements of ${STATEMENT_ROWS} rows, each durable before the next, rows/s:`);
  printTable(['connections', single.name, spread.name, 'cost'], inserts);
  await expectSame(servers, single, spread);
  await fill(servers, quick ? 100_000 : 2_000_000);
  await expectSame(servers, single, spread);
  await measureSums(servers, single, spread);
}

interface Target {
  readonly name: string;
  readonly table: string;
  readonly endpoint: Endpoint;
}

async function insertSpeed(
  { admin }: SpiderServers,
  { table, endpoint }: Target,
  { rows, connections }: { rows: number; connections: number },
): Promise<number> {
  const statements = Math.ceil(rows / STATEMENT_ROWS / connections);
  const work = async () => {
    await withServer(endpoint, admin, async (db) => {
      for (let i = 0; i < statements; i++) await db.query(insertStatement(table));
    });
  };
  const took = await seconds(() => Promise.all(Array.from({ length: connections }, work)));
  return (statements * STATEMENT_ROWS * connections) / took;
}

function insertStatement(table: string): string {
  const values = Array.from({ length: STATEMENT_ROWS }, () => {
    const id = randomBytes(20);
    const video = id.readUInt32BE(16) % VIDEOS;
    return `('${DAY}',${video % SLICE_COUNT},${video},x'${id.toString('hex', 0, 16)}','u:${video}','${DAY} 12:00:00.000',60,60,1,0)`;
  });
  return `INSERT INTO ${table} VALUES ${values.join(',')}`;
}

/** Adds the same generated events to both, on the nodes themselves: what is measured next only reads. */
async function fill({ nodes, admin }: SpiderServers, events: number): Promise<void> {
  const source = (table: string, condition: string) => `INSERT INTO ${table}
    SELECT '${DAY}', seq % ${VIDEOS} % ${SLICE_COUNT}, seq % ${VIDEOS}, UNHEX(MD5(seq)), CONCAT('u:', seq), '${DAY} 12:00:00',
      seq % 600, seq % 600, seq % 3, IF(seq % 10 = 0, 2, 0)
    FROM ${SCHEMA}.seq_1_to_${events} WHERE ${condition} ORDER BY seq % ${VIDEOS} % ${SLICE_COUNT}, seq % ${VIDEOS}`;
  await withServer(nodes[0]!, admin, (db) => db.query(source('single.watch_event', 'TRUE')));
  for (const [i, node] of nodes.entries()) {
    await withServer(node, admin, (db) =>
      db.query(source(TABLE, `seq % ${VIDEOS} % ${SLICE_COUNT} % ${nodes.length} = ${i}`)),
    );
  }
}

const sumsOf = (table: string, condition: string) =>
  `SELECT slice, video_id, ${VIDEO_SUMS} FROM ${table} WHERE day = '${DAY}' AND ${condition} GROUP BY slice, video_id`;

/** The sums of every slice as the workers ask for them, slice by slice in two connections, and as one statement. */
async function measureSums(servers: SpiderServers, single: Target, spread: Target): Promise<void> {
  const { nodes } = servers;
  const whole = (target: Target) => seconds(() => ask(servers, target.endpoint, [sumsOf(target.table, 'TRUE')]));
  const bySlice = (endpointOf: (slice: number) => Endpoint, table: string) =>
    seconds(() =>
      Promise.all(
        [0, 1].map(async (worker) => {
          for (let slice = worker; slice < SLICE_COUNT; slice += 2) {
            await ask(servers, endpointOf(slice), [sumsOf(table, `slice = ${slice}`)]);
          }
        }),
      ),
    );
  const rows = [
    [single.name, await whole(single), await bySlice(() => single.endpoint, single.table)],
    [`${spread.name}, by the head`, await whole(spread), await bySlice(() => spread.endpoint, spread.table)],
    [
      `${spread.name}, each slice from its node`,
      await seconds(() => Promise.all(nodes.map((node) => ask(servers, node, [sumsOf(TABLE, 'TRUE')])))),
      await bySlice((slice) => nodes[slice % nodes.length]!, TABLE),
    ],
  ] as const;
  console.log('\nThe sums of a day by video, seconds:');
  printTable(
    ['table', 'in one statement', 'slice by slice'],
    rows.map(([name, one, slices]) => [name, one.toFixed(2), slices.toFixed(2)]),
  );
}

async function ask({ admin }: SpiderServers, endpoint: Endpoint, statements: readonly string[]): Promise<void> {
  await withServer(endpoint, admin, async (db) => {
    for (const sql of statements) await db.query({ sql, rowsAsArray: true });
  });
}

/** The spread table holds as many rows as were put in, on both nodes, and knows an event that it has already. */
async function expectSame({ admin, nodes, head }: SpiderServers, single: Target, spread: Target): Promise<void> {
  const count = (endpoint: Endpoint, table: string) =>
    withServer(endpoint, admin, async (db) => {
      const [rows] = await db.query({ sql: `SELECT COUNT(*), SUM(played_time) FROM ${table}`, rowsAsArray: true });
      return (rows as string[][])[0]!.map(Number);
    });
  const [whole, together] = [await count(single.endpoint, single.table), await count(head, spread.table)];
  const parts = await Promise.all(nodes.map((node) => count(node, TABLE)));
  if (String(whole) !== String(together)) throw new Error(`one server has ${whole}, the spread table ${together}`);
  if (parts.some(([rows]) => rows === 0)) throw new Error(`a node has no rows: ${parts.join('; ')}`);
  await withServer(head, admin, async (db) => {
    const [result] = await db.query(`INSERT IGNORE INTO ${TABLE} SELECT * FROM ${TABLE} LIMIT 1`);
    const { affectedRows } = result as { affectedRows: number };
    if (affectedRows !== 0) throw new Error('an event was stored twice');
  });
}

async function withServer<T>(
  endpoint: Endpoint,
  admin: SpiderServers['admin'],
  work: (db: Connection) => Promise<T>,
): Promise<T> {
  const db = await connect(endpoint, admin);
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}

const thousands = (number: number) => Math.round(number).toLocaleString('en');
const ratio = (plain: number, other: number) => `${(plain / other).toFixed(1)} times`;
