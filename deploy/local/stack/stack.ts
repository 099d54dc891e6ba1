import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findPrograms, type Programs } from '../prerequisites/index.js';
import {
  type ControlPlaneOptions,
  placementSpec,
  prepareCertificates,
  readTrustAnchors,
  schedulerSpec,
  sentrySpec,
} from './control-plane.js';
import { writeDaprRunFiles } from './dapr-run.js';
import {
  type DatabaseOptions,
  migrateDatabases,
  replicationsOf,
  requireDatabases,
  startDatabases,
  waitReplicas,
} from './databases.js';
import { type AppEndpoint, type Endpoint, type StackEndpoints, textOf } from './endpoints.js';
import { SetupError } from './errors.js';
import { inboxSpec } from './inbox.js';
import type { ProcessEnd } from './managed-process.js';
import { layoutOf, ROOT_DIR, type StateLayout } from './paths.js';
import { type Ports, type PortUse, portsOf, portVariable, requireFreePorts } from './ports.js';
import { claimStateDir, releaseStateDir } from './process-records.js';
import { prepareRedis, requireRedis } from './redis.js';
import { renderDaprFiles } from './render.js';
import { watchReplication } from './replication.js';
import { type AppInstance, oneMore, readRunFile } from './run-file.js';
import type { RunStep } from './run-step.js';
import { prepareSecrets, type Secrets, secretOf, writePrivately } from './secrets.js';
import { appSpec, endpointOf, isGateway, type ServiceOptions, sidecarName, sidecarSpec } from './services.js';
import { readServerSettings, type ServerSettings } from './settings.js';
import { Supervisor } from './supervisor.js';

export interface StackOptions {
  /** Folder of everything that the stack writes; `PLAYBILL_STATE_DIR`, or else `.local`. */
  readonly stateDir?: string;
  /** Added to every port; `PLAYBILL_PORT_OFFSET`, or else 0. */
  readonly portOffset?: number;
  /** Folder of another release: its compiled code and migrations are run instead of this repository's. */
  readonly codeDir?: string;
  /** App-ids to start: all of dapr/dapr.yaml when undefined, none when empty. */
  readonly services?: readonly string[];
  /** Variables that are added to this process's own, e.g. settings of the services. */
  readonly env?: NodeJS.ProcessEnv;
  /** Done when databases and Dapr are up and before the first app starts, e.g. to fill the databases. */
  readonly beforeServices?: (stack: Pick<Stack, 'endpoints' | 'secrets'>) => Promise<void>;
  /** Where the services find the database replicas, when it is not where they listen: the ends of lines between. */
  readonly replicaLines?: readonly Endpoint[];
  /** A module (URL) that every app of Node loads before its own, e.g. a clock that jumps. */
  readonly preload?: string;
  /** Begins with empty databases, broker and reminders. */
  readonly fresh?: boolean;
  readonly log?: (line: string) => void;
  readonly step?: RunStep;
}

/** A stack that runs. Processes are named as their log files: `mariadb-primary`, `redis`, `batch-1-daprd`, … */
export interface Stack {
  readonly layout: StateLayout;
  /** As they are now: replicas come and go. */
  readonly endpoints: StackEndpoints;
  readonly secrets: Secrets;
  processNames(): string[];
  isRunning(name: string): boolean;
  pidOf(name: string): number | undefined;
  /** Sends a signal (SIGKILL unless given). The supervisor starts the process again if it ends by it. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  pause(name: string): void;
  resume(name: string): void;
  /** Ends it kindly, starts it, and waits until it works. @returns how it ended; undefined when it did not run */
  restart(name: string): Promise<ProcessEnd | undefined>;
  /** Without it, a process that ends stays down; switching it on again starts it. */
  setAutoRestart(name: string, on: boolean): void;
  /** Starts one more replica of an app of dapr/dapr.yaml and its sidecar, by this repository's code. */
  addReplica(appId: string): Promise<AppEndpoint>;
  /** Ends an app and its sidecar for good, as Kubernetes ends a pod. @returns how each of them ended */
  removeReplica(name: string): Promise<ProcessEnd[]>;
  /** Runs this repository's migrations, while everything goes on. @returns what was done */
  migrate(): Promise<string>;
  /** Waits until every process works and both replicas have caught up. */
  waitHealthy(deadlineMs?: number): Promise<void>;
  /** Ends everything; nothing is left running. */
  stop(): Promise<void>;
  /** Ends everything at once by SIGKILL. */
  kill9(): Promise<void>;
}

const HEALTHY_DEADLINE_MS = 60_000;

/**
 * Starts databases, broker, Dapr's control plane, and the apps with their sidecars, and keeps them running.
 * @throws SetupError for what a person can put right (a port that is taken, a program that is missing)
 * @throws Error naming the log file of the process that did not start; nothing is left running then
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const env = { ...process.env, ...options.env };
  const step: RunStep = options.step ?? ((_label, work) => work(() => undefined));
  const log = options.log ?? (() => undefined);
  const layout = layoutOf(options.stateDir ?? env.PLAYBILL_STATE_DIR ?? '.local');
  const portOffset = options.portOffset ?? readOffset(env);
  const ports = portsOf(portOffset, env);
  const settings = readServerSettings(ports, env);
  const instances = await readRunFile({ portOffset, env, services: options.services });
  const programs = await findPrograms({ needs: settings, step });
  const leftovers = await claimStateDir(layout.runDir);
  if (leftovers.length > 0) log(`ended what an earlier start has left: ${leftovers.join(', ')}`);
  const supervisor = new Supervisor(layout, log);
  try {
    await requireFreePorts(portUses({ settings, ports, instances }));
    if (options.fresh === true) await forget(layout);
    const secrets = await prepareSecrets(layout, {
      primary: textOf(settings.database.primary),
      redis: textOf(settings.redis.endpoint),
      ...(settings.database.admin === undefined ? {} : { admin: settings.database.admin }),
      ...(settings.redis.password === undefined ? {} : { redisPassword: settings.redis.password }),
      ...(settings.mail.account === undefined ? {} : { mail: settings.mail.account }),
    });
    const codeDir = options.codeDir ?? ROOT_DIR;
    const database: DatabaseOptions = { layout, supervisor, secrets, env, settings: settings.database, codeDir };
    await startInfrastructure({ layout, supervisor, secrets, env, ports, settings, database, programs, step });
    await startInbox({ layout, supervisor, settings, env, instances, step });
    const endpoints = endpointsOf({ settings, secrets, instances });
    await options.beforeServices?.({ endpoints, secrets });
    let services: ServiceOptions | undefined;
    if (instances.length > 0) {
      const serviceOptions: ServiceOptions = {
        layout,
        ports,
        daprd: programs.dapr.daprd,
        trustAnchors: await readTrustAnchors(layout),
        secrets,
        databases: { ...settings.database, replicas: options.replicaLines ?? settings.database.replicas },
        ...(options.preload === undefined ? {} : { preload: options.preload }),
        smtp: settings.mail.smtp,
        codeDir,
        env,
      };
      await step(`Services: ${instances.map(({ name }) => name).join(', ')}`, () =>
        startServices(supervisor, instances, serviceOptions),
      );
      services = serviceOptions;
    } else {
      await writeDaprRunFiles({ layout, daprd: programs.dapr.daprd, secrets, settings });
    }
    await writePrivately(layout.stackFile, `${JSON.stringify({ pid: process.pid, endpoints }, null, 2)}\n`);
    const endWatch = watchReplication(replicationsOf(database), log);
    return createStack({ layout, settings, secrets, supervisor, database, instances, services, endWatch });
  } catch (error) {
    await supervisor.stop();
    releaseStateDir(layout.runDir);
    throw error;
  }
}

function readOffset(env: NodeJS.ProcessEnv): number {
  const text = env.PLAYBILL_PORT_OFFSET ?? '0';
  if (/^\d+$/.test(text)) return Number(text);
  throw new SetupError(`PLAYBILL_PORT_OFFSET=${text} is not a number`, 'a multiple of 1000, e.g. 3000');
}

interface Infrastructure extends ControlPlaneOptionsWithoutPrograms {
  readonly supervisor: Supervisor;
  readonly secrets: Secrets;
  readonly settings: ServerSettings;
  readonly database: DatabaseOptions;
  readonly programs: Programs;
  readonly step: RunStep;
}

type ControlPlaneOptionsWithoutPrograms = Omit<ControlPlaneOptions, 'programs'>;

async function startInfrastructure(options: Infrastructure): Promise<void> {
  const starts = [startDatabasesAndSchema(options), startRedis(options), startControlPlane(options)];
  const results = await Promise.allSettled(starts);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function startDatabasesAndSchema({ database, settings, programs, step }: Infrastructure): Promise<void> {
  const { mariadb } = programs;
  if (settings.database.isPrivate && mariadb !== undefined) {
    await step('MariaDB: a primary and two replicas', () => startDatabases(database, mariadb));
  } else {
    await step(`Database server ${textOf(settings.database.primary)}`, () => requireDatabases(database));
  }
  await step('Schemas, accounts and tables', async (note) => note(await migrateDatabases(database)));
}

async function startRedis({
  layout,
  supervisor,
  secrets,
  env,
  settings,
  programs,
  step,
}: Infrastructure): Promise<void> {
  const { endpoint, isPrivate, password } = settings.redis;
  if (isPrivate && programs.redis !== undefined) {
    const program = programs.redis;
    await step('Redis', async () => {
      await supervisor.launch(await prepareRedis({ layout, program, endpoint, secrets, env }));
    });
    return;
  }
  await step(`Redis server ${textOf(endpoint)}`, () =>
    requireRedis(endpoint, password === '' ? undefined : password).catch((error: Error) => {
      const hint = 'start it, or correct PLAYBILL_REDIS and PLAYBILL_REDIS_PASSWORD';
      throw new SetupError(`the Redis server ${textOf(endpoint)} cannot be used: ${error.message}`, hint);
    }),
  );
}

type InboxStart = Pick<Infrastructure, 'layout' | 'supervisor' | 'settings' | 'env' | 'step'> & {
  readonly instances: readonly AppInstance[];
};

/** Needed by the report service, which also runs by other means when no service is started here. */
async function startInbox({ layout, supervisor, settings, env, instances, step }: InboxStart): Promise<void> {
  const { smtp, inbox } = settings.mail;
  if (inbox === undefined) return;
  if (instances.length > 0 && !instances.some(({ appId }) => appId === 'report')) return;
  await step('Inbox for mails', () => supervisor.launch(inboxSpec({ layout, smtp, web: inbox, env })));
}

async function startControlPlane({ layout, ports, env, supervisor, programs, step }: Infrastructure): Promise<void> {
  const options: ControlPlaneOptions = { layout, ports, env, programs: programs.dapr };
  await step('Dapr control plane: sentry, placement, scheduler', async () => {
    await renderDaprFiles(layout, env.PLAYBILL_COMPONENTS || undefined);
    await prepareCertificates(layout);
    await supervisor.launch(sentrySpec(options));
    await Promise.all([supervisor.launch(placementSpec(options)), supervisor.launch(schedulerSpec(options))]);
  });
}

async function startServices(
  supervisor: Supervisor,
  instances: readonly AppInstance[],
  options: ServiceOptions,
): Promise<void> {
  const specs = instances.flatMap((instance) => [sidecarSpec(instance, options), appSpec(instance, options)]);
  const results = await Promise.allSettled(specs.map((spec) => supervisor.launch(spec)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** How much earlier the sidecar is told, as by preStop in deploy/kubernetes: calls that it gets meanwhile are answered. */
const APP_TOLD_AFTER_MS = 1_000;

/** The gateway's sidecar ends after it; any other is told first, and each of the two waits for what it needs of the other. */
async function endInstance(supervisor: Supervisor, instance: AppInstance): Promise<(ProcessEnd | undefined)[]> {
  const sidecar = sidecarName(instance);
  if (isGateway(instance)) return [await supervisor.remove(instance.name), await supervisor.remove(sidecar)];
  const endOfSidecar = supervisor.remove(sidecar);
  await pause(APP_TOLD_AFTER_MS);
  return Promise.all([supervisor.remove(instance.name), endOfSidecar]);
}

interface PortOwners {
  readonly settings: ServerSettings;
  readonly ports: Ports;
  readonly instances: readonly AppInstance[];
}

function portUses({ settings, ports, instances }: PortOwners): PortUse[] {
  const infrastructure = Object.entries(ports)
    .filter(([name]) => settings.database.isPrivate || !name.startsWith('mariadb-'))
    .filter(([name]) => settings.redis.isPrivate || name !== 'redis')
    .filter(([name]) => settings.mail.inbox !== undefined || !name.startsWith('inbox-'))
    .map(([name, port]) => ({ name, port, variable: portVariable(name) }));
  const apps = instances.flatMap((instance) => [
    {
      name: instance.name,
      port: instance.ports.app,
      ...(instance.appId === 'gateway' ? { variable: 'PLAYBILL_PORT' } : {}),
    },
    ...[instance.ports.http, instance.ports.grpc, instance.ports.internalGrpc, instance.ports.metrics].map((port) => ({
      name: sidecarName(instance),
      port,
    })),
  ]);
  return [...infrastructure, ...apps];
}

/** Removes what the stack has stored; its secrets stay. */
async function forget(layout: StateLayout): Promise<void> {
  const stored = [layout.mariadbDir, layout.redisDir, join(layout.daprDir, 'scheduler')];
  await Promise.all(stored.map((dir) => rm(dir, { recursive: true, force: true })));
}

function endpointsOf({
  settings,
  secrets,
  instances,
}: Omit<PortOwners, 'ports'> & { secrets: Secrets }): StackEndpoints {
  const apps: Record<string, ReturnType<typeof endpointOf>[]> = {};
  for (const instance of instances) apps[instance.appId] = [...(apps[instance.appId] ?? []), endpointOf(instance)];
  const daprApiToken = secretOf(secrets, 'dapr-api-token', 'token');
  const gateway = apps.gateway?.[0];
  const sidecarPortsOf = (appId: string) => (apps[appId] ?? []).map((app) => app.sidecarHttpPort);
  return {
    primary: settings.database.primary,
    replicas: settings.database.replicas.map((endpoint, index) => ({ name: `replica-${index + 1}`, endpoint })),
    redis: settings.redis.endpoint,
    smtp: settings.mail.smtp,
    ...(settings.mail.inbox === undefined ? {} : { inboxUrl: `http://${textOf(settings.mail.inbox)}` }),
    daprApiToken,
    apps,
    batch: { sidecarPorts: sidecarPortsOf('batch'), daprApiToken },
    user: { sidecarPorts: sidecarPortsOf('user') },
    report: { sidecarPorts: sidecarPortsOf('report') },
    ...(gateway === undefined ? {} : { gatewayUrl: `http://127.0.0.1:${gateway.appPort}` }),
  };
}

interface RunningParts extends Pick<Stack, 'layout' | 'secrets'> {
  readonly settings: ServerSettings;
  readonly supervisor: Supervisor;
  readonly database: DatabaseOptions;
  readonly instances: readonly AppInstance[];
  /** Undefined when no service was started. */
  readonly services: ServiceOptions | undefined;
  readonly endWatch: () => void;
}

function createStack(parts: RunningParts): Stack {
  const { layout, settings, secrets, supervisor, database, services, endWatch } = parts;
  const running = [...parts.instances];
  const end = async (work: () => Promise<void>) => {
    endWatch();
    await work();
    await rm(layout.stackFile, { force: true });
    releaseStateDir(layout.runDir);
  };
  return {
    layout,
    get endpoints() {
      return endpointsOf({ settings, secrets, instances: running });
    },
    secrets,
    processNames: () => supervisor.names(),
    isRunning: (name) => supervisor.get(name).isRunning(),
    pidOf: (name) => supervisor.get(name).pid,
    kill: (name, signal = 'SIGKILL') => supervisor.get(name).kill(signal),
    pause: (name) => supervisor.get(name).pause(),
    resume: (name) => supervisor.get(name).resume(),
    restart: (name) => supervisor.get(name).restart(),
    setAutoRestart(name, on) {
      const process = supervisor.get(name);
      process.autoRestart = on;
      if (on) process.start();
    },
    async addReplica(appId) {
      if (services === undefined) throw new Error('no service runs');
      const instance = oneMore(appId, running);
      running.push(instance);
      await startServices(supervisor, [instance], { ...services, codeDir: ROOT_DIR });
      return endpointOf(instance);
    },
    async removeReplica(name) {
      const instance = running.find((one) => one.name === name);
      if (instance === undefined) throw new Error(`no replica ${name} runs`);
      const ends = await endInstance(supervisor, instance);
      running.splice(running.indexOf(instance), 1);
      return ends.filter((end) => end !== undefined);
    },
    migrate: () => migrateDatabases({ ...database, codeDir: ROOT_DIR }),
    async waitHealthy(deadlineMs = HEALTHY_DEADLINE_MS) {
      await supervisor.waitHealthy(deadlineMs);
      await waitReplicas(database);
    },
    stop: () => end(() => supervisor.stop()),
    kill9: () => end(() => supervisor.kill()),
  };
}
