import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT_DIR } from '../../deploy/local/stack/index.js';
import type { ProcessSpec } from '../../deploy/local/stack/managed-process.js';
import { sharedCacheDir } from '../../deploy/local/stack/paths.js';

const run = promisify(execFile);
const POM = join(ROOT_DIR, 'tests', 'kafka', 'pom.xml');
const USER = 'playbill';

/** One broker of Kafka, which is its own controller (KRaft), with an account as a managed one has it. */
export interface Broker {
  /** host:port */
  readonly address: string;
  readonly username: string;
  readonly password: string;
  /** For Kafka's own command-line tools. */
  readonly classPath: string;
  readonly clientSettingsFile: string;
  readonly process: ProcessSpec;
}

/** Kafka's jars, by Maven, once for all clones. @returns the class path */
async function fetchJars(): Promise<string> {
  const key = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12);
  const dir = join(sharedCacheDir(), 'kafka', key);
  if (!existsSync(dir)) {
    const unfinished = `${dir}.${process.pid}`;
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`];
    await run('mvn', ['-q', '-B', '-f', POM, ...goal], { maxBuffer: 2 ** 26 });
    await rename(unfinished, dir).catch((error: Error) => {
      if (!existsSync(dir)) throw error;
    });
  }
  return join(dir, '*');
}

export interface BrokerOptions {
  /** Folder of everything that it writes; emptied. */
  readonly dir: string;
  readonly port: number;
  readonly controllerPort: number;
}

/** Makes an empty broker with the account; it is not started. */
export async function prepareBroker({ dir, port, controllerPort }: BrokerOptions): Promise<Broker> {
  const classPath = await fetchJars();
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString('hex');
  const settingsFile = join(dir, 'server.properties');
  const clientSettingsFile = join(dir, 'client.properties');
  const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${USER}" password="${password}";`;
  await writeFile(settingsFile, serverSettings({ dir, port, controllerPort, login }), { mode: 0o600 });
  await writeFile(clientSettingsFile, clientSettings(login), { mode: 0o600 });
  const clusterId = randomBytes(16).toString('base64url');
  const account = `SCRAM-SHA-512=[name=${USER},password=${password}]`;
  const format = ['format', '-t', clusterId, '-c', settingsFile, '--add-scram', account];
  await run('java', ['-cp', classPath, 'kafka.tools.StorageTool', ...format]);
  return {
    address: `127.0.0.1:${port}`,
    username: USER,
    password,
    classPath,
    clientSettingsFile,
    process: {
      name: 'kafka',
      command: 'java',
      args: ['-Xmx320m', '-XX:+UseSerialGC', '-cp', classPath, 'kafka.Kafka', settingsFile],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TZ: 'UTC' },
      cwd: dir,
      check: () => listens(port),
      stopGraceMs: 15_000,
      stopOrder: 0,
    },
  };
}

function serverSettings({ dir, port, controllerPort, login }: BrokerOptions & { login: string }): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=CLIENT://127.0.0.1:${port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=${login}
log.dirs=${join(dir, 'data')}
num.partitions=3
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
`;
}

function clientSettings(login: string): string {
  return `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=${login}\n`;
}

function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

/** How far a consumer group is with a topic, over its partitions. */
export interface GroupProgress {
  readonly group: string;
  readonly topic: string;
  /** Messages that it has acknowledged. */
  readonly taken: number;
  /** Messages that it has not acknowledged yet. */
  readonly lag: number;
}

/** Asks the broker itself, by Kafka's own tool. */
export async function groupProgress(
  broker: Pick<Broker, 'address' | 'classPath' | 'clientSettingsFile'>,
): Promise<GroupProgress[]> {
  const { address, classPath, clientSettingsFile } = broker;
  const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
  const ask = ['--bootstrap-server', address, '--command-config', clientSettingsFile, '--describe', '--all-groups'];
  const { stdout } = await run('java', ['-cp', classPath, tool, ...ask]);
  const sums = new Map<string, GroupProgress>();
  for (const line of stdout.split('\n')) {
    const [group, topic, _partition, taken, _end, lag] = line.trim().split(/\s+/);
    if (group === undefined || topic === undefined || !/^\d+$/.test(taken ?? '')) continue;
    const sum = sums.get(`${group} ${topic}`) ?? { group, topic, taken: 0, lag: 0 };
    sums.set(`${group} ${topic}`, { ...sum, taken: sum.taken + Number(taken), lag: sum.lag + Number(lag) });
  }
  return [...sums.values()];
}
