import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';
import { type Dialect, dialectOf, mariadb, mysql8 } from '../../../services/libs/database/dialect.js';

/** A server that answers every statement with one row. */
function serverAnswering(row: Record<string, unknown>) {
  const sent: [string, unknown[] | undefined][] = [];
  return {
    sent,
    async query(sql: string, parameters?: unknown[]) {
      sent.push([sql, parameters]);
      return [row];
    },
  };
}

test.each<[string, Dialect]>([
  ['8.4.7', mysql8],
  ['8.0.36-28', mysql8],
  ['10.11.6-MariaDB-0+deb12u1-log', mariadb],
  ['5.5.5-10.11.6-mariadb', mariadb],
])('a server of version %s is spoken to in its own dialect', (version, dialect) => {
  expect(dialectOf(version).name).toBe(dialect.name);
});

test.each<[string, Dialect, string, string]>([
  ['mariadb', mariadb, 'SELECT @@global.gtid_binlog_pos AS position', '1-1-42'],
  ['mysql', mysql8, 'SELECT @@global.gtid_executed AS position', '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5'],
])('%s: the position of the primary is its whole GTID set', async (_name, dialect, sql, position) => {
  const server = serverAnswering({ position });
  expect(await dialect.currentPosition(server)).toBe(position);
  expect(server.sent).toEqual([[sql, undefined]]);
});

test('MySQL breaks a long GTID set into lines, which are joined', async () => {
  const server = serverAnswering({ position: '3e11fa47:1-5,\n4f22fb58:1-9' });
  expect(await mysql8.currentPosition(server)).toBe('3e11fa47:1-5,4f22fb58:1-9');
});

test.each<[string, Dialect, string]>([
  ['mariadb', mariadb, 'SELECT MASTER_GTID_WAIT(?, ?) AS result'],
  ['mysql', mysql8, 'SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?) AS result'],
])('%s: waiting for a position takes seconds, and says whether it was reached', async (_name, dialect, sql) => {
  for (const [result, isReached] of [
    [0, true],
    ['0', true],
    [-1, false],
    [1, false],
  ] as const) {
    const server = serverAnswering({ result });
    expect(await dialect.waitForPosition(server, 'x:1', 2_500)).toBe(isReached);
    expect(server.sent).toEqual([[sql, ['x:1', 2.5]]]);
  }
});

test.each([mariadb, mysql8])('$name: the position of an empty log is reached without asking', async (dialect) => {
  const server = serverAnswering({ result: -1 });
  expect(await dialect.waitForPosition(server, '', 1_000)).toBe(true);
  expect(server.sent).toEqual([]);
});

test('words of one server only are in the adapter, and where the local MariaDB is set up', () => {
  const ofOne =
    /gtid_binlog_pos|gtid_executed|MASTER_GTID_WAIT|WAIT_FOR_EXECUTED_GTID_SET|(SLAVE|MASTER) STATUS|CHANGE MASTER/;
  const files = readdirSync(join(ROOT_DIR, 'services'), { recursive: true, encoding: 'utf8' });
  const found = files
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => ofOne.test(readFileSync(join(ROOT_DIR, 'services', file), 'utf8')));
  expect(found).toEqual([join('libs', 'database', 'dialect.ts')]);
});
