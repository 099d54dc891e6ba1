import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readInstallation } from '../../../services/ops/adapters/installation.js';

const account = (username: string) => ({ username, password: 'p'.repeat(16) });
const SECRETS = {
  'mysql-admin': account('admin'),
  'mysql-maintenance': account('maintenance'),
  'dapr-api-token': { token: 't' },
  'ops-key': { token: 'k' },
};
const at = (port: number) => ({ host: '127.0.0.1', port });
const STACK = {
  primary: at(13306),
  replicas: [{ name: 'mariadb-replica-1', endpoint: at(13307) }],
  batch: { sidecarPorts: [1, 2] },
  user: { sidecarPorts: [5] },
  apps: { 'watch-history': [{ sidecarHttpPort: 7 }, { sidecarHttpPort: 8 }] },
};

let stateDir: string;
const read = (env: Record<string, string> = {}) => readInstallation({ PLAYBILL_STATE_DIR: stateDir, ...env });
const write = (name: string, value: unknown) => writeFile(join(stateDir, name), JSON.stringify(value));

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'playbill-ops-'));
});

afterEach(() => rm(stateDir, { recursive: true }));

describe('the installation', () => {
  test('is read from the description of the stack and its secrets', async () => {
    await write('secrets.json', SECRETS);
    await write('stack.json', { pid: 1, endpoints: STACK });
    expect(await read()).toEqual({
      primary: at(13306),
      replicas: STACK.replicas,
      batchSidecarPorts: [1, 2],
      userSidecarPorts: [5],
      reportSidecarPorts: [],
      watchHistorySidecarPorts: [7, 8],
      daprApiToken: 't',
      opsKey: 'k',
      operator: SECRETS['mysql-admin'],
      maintenance: SECRETS['mysql-maintenance'],
    });
  });

  test('is used by an account of its own as soon as there is one', async () => {
    await write('secrets.json', { ...SECRETS, 'mysql-operator': account('operator') });
    await write('stack.json', { pid: 1, endpoints: STACK });
    expect((await read()).operator.username).toBe('operator');
  });

  test('can be given by variables instead of a description', async () => {
    await write('secrets.json', SECRETS);
    const env = {
      PLAYBILL_DB_PRIMARY: 'db:3306',
      PLAYBILL_DB_REPLICAS: 'r1:1,r2:2',
      PLAYBILL_BATCH_SIDECAR_PORTS: '3,4',
      PLAYBILL_USER_SIDECAR_PORTS: '6',
    };
    expect(await read(env)).toMatchObject({
      primary: { host: 'db', port: 3306 },
      replicas: [
        { name: 'replica-1', endpoint: { host: 'r1', port: 1 } },
        { name: 'replica-2', endpoint: { host: 'r2', port: 2 } },
      ],
      batchSidecarPorts: [3, 4],
      userSidecarPorts: [6],
    });
  });

  test('that is not there is told as such, without a secret in the text', async () => {
    await expect(read()).rejects.toMatchObject({
      code: 'NOT_INSTALLED',
      message: expect.stringContaining('npm start'),
    });
    await write('secrets.json', SECRETS);
    await expect(read()).rejects.toMatchObject({
      code: 'NOT_INSTALLED',
      message: expect.stringContaining('stack.json'),
    });
    await write('stack.json', { pid: 1, endpoints: { ...STACK, primary: undefined } });
    await expect(read()).rejects.toMatchObject({ code: 'NOT_INSTALLED', message: expect.stringContaining('primary') });
    await write('secrets.json', { ...SECRETS, 'dapr-api-token': 'secret-text' });
    await expect(read()).rejects.toMatchObject({ message: expect.not.stringContaining('secret-text') });
  });
});
