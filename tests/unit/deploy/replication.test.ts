import { type Server, setUpReplication } from '../../../deploy/compose/replication.js';

type Status = Record<string, unknown>;

/** A server that remembers what it was told, and answers as MySQL 8.4 would. */
class FakeServer implements Server {
  readonly told: string[] = [];
  readonly endpoint;

  constructor(
    host: string,
    public status?: Status,
  ) {
    this.endpoint = { host, port: 3306 };
  }

  async query(sql: string): Promise<Status[]> {
    this.told.push(sql);
    if (sql.startsWith('CHANGE')) this.status = FOLLOWING;
    if (sql === 'START REPLICA') this.status = { ...this.status, ...RUNNING };
    if (sql === 'STOP REPLICA') this.status = { ...this.status, ...STOPPED };
    return sql === 'SHOW REPLICA STATUS' && this.status !== undefined ? [this.status] : [];
  }

  get commands(): string[] {
    return this.told.filter((sql) => !sql.startsWith('SHOW')).map((sql) => sql.split(' ').slice(0, 2).join(' '));
  }
}

const RUNNING = { Replica_IO_Running: 'Yes', Replica_SQL_Running: 'Yes' };
const STOPPED = { Replica_IO_Running: 'No', Replica_SQL_Running: 'No' };
const FOLLOWING = {
  Source_Host: 'primary',
  Source_Port: 3306,
  Source_User: 'replication',
  Auto_Position: 1,
  Last_IO_Errno: 0,
  ...STOPPED,
};

function setUp(replicas: FakeServer[], deadlineMs = 1_000) {
  const primary = new FakeServer('primary');
  const account = (username: string) => ({ username, password: 'p'.repeat(32) });
  const options = { primary, replicas, admin: account('admin'), replication: account('replication'), deadlineMs };
  return { primary, done: setUpReplication(options) };
}

test('a new replica forgets what its own set-up logged, and follows from the beginning by GTID', async () => {
  const replica = new FakeServer('replica-1');
  await setUp([replica]).done;
  expect(replica.commands).toEqual(['RESET BINARY', 'CHANGE REPLICATION', 'START REPLICA']);
  expect(replica.told.join('\n')).toContain("SOURCE_HOST = 'primary'");
  expect(replica.told.join('\n')).toContain('SOURCE_AUTO_POSITION = 1');
});

test('a replica that follows is left alone; one that stopped goes on from where it stands', async () => {
  const [running, stopped] = [new FakeServer('1', { ...FOLLOWING, ...RUNNING }), new FakeServer('2', FOLLOWING)];
  await setUp([running, stopped]).done;
  expect(running.commands).toEqual([]);
  expect(stopped.commands).toEqual(['START REPLICA']);
});

test('a replica of another primary, or one whose password is refused, is pointed at this one without a reset', async () => {
  const other = new FakeServer('1', { ...FOLLOWING, ...RUNNING, Source_Host: 'another' });
  const refused = new FakeServer('2', { ...FOLLOWING, Replica_IO_Running: 'Connecting', Last_IO_Errno: 1045 });
  await setUp([other, refused]).done;
  const commands = ['STOP REPLICA', 'CHANGE REPLICATION', 'START REPLICA'];
  expect([other.commands, refused.commands]).toEqual([commands, commands]);
});

test("a replica that does not begin is named with the server's own words", async () => {
  const replica = new FakeServer('replica-2', { ...FOLLOWING, ...RUNNING });
  replica.query = async (sql) =>
    sql === 'SHOW REPLICA STATUS' ? [{ ...FOLLOWING, Last_SQL_Error: 'table is full' }] : [];
  await expect(setUp([replica], 0).done).rejects.toThrow('replica-2 does not follow the primary: table is full');
});

test('the accounts are made on the primary only, again with the same result', async () => {
  const replica = new FakeServer('replica-1');
  const { primary, done } = setUp([replica]);
  await done;
  expect(primary.commands).toEqual([
    'CREATE USER',
    'ALTER USER',
    'CREATE USER',
    'ALTER USER',
    'GRANT ALL',
    'GRANT REPLICATION',
  ]);
  expect(primary.told.filter((sql) => sql.startsWith('CREATE')).every((sql) => sql.includes('IF NOT EXISTS'))).toBe(
    true,
  );
});
