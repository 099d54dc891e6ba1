import { basename, join } from 'node:path';
import { TRUST_DOMAIN } from './control-plane.js';
import { type AppEndpoint, type Endpoint, textOf } from './endpoints.js';
import { requireOk } from './http.js';
import type { ProcessSpec } from './managed-process.js';
import type { StateLayout } from './paths.js';
import type { Ports } from './ports.js';
import { type AppInstance, GATEWAY } from './run-file.js';
import { type Secrets, secretOf } from './secrets.js';
import { StopOrder } from './stop-order.js';

export interface ServiceOptions {
  readonly layout: StateLayout;
  readonly ports: Ports;
  readonly daprd: string;
  readonly trustAnchors: string;
  readonly secrets: Secrets;
  readonly databases: { readonly primary: Endpoint; readonly replicas: readonly Endpoint[] };
  readonly smtp: Endpoint;
  /** A module that apps of Node load first. */
  readonly preload?: string;
  /** Folder of the release whose compiled code is run. */
  readonly codeDir: string;
  /** Variables of the supervisor, and those that the stack's user adds for the apps. */
  readonly env: NodeJS.ProcessEnv;
}

/** As docker-compose.yml has it: more than a service takes at most (END_TIMES_MS of services/libs/service). */
const STOP_GRACE_MS = 20_000;

/** Whose sidecar takes no calls for it. */
export function isGateway({ appId }: Pick<AppInstance, 'appId'>): boolean {
  return appId === GATEWAY;
}

/** The name of the process of an instance's sidecar. */
export function sidecarName(instance: AppInstance): string {
  return `${instance.name}-daprd`;
}

export function endpointOf({ name, ports }: AppInstance): AppEndpoint {
  return {
    name,
    appPort: ports.app,
    sidecarHttpPort: ports.http,
    sidecarGrpcPort: ports.grpc,
    sidecarMetricsPort: ports.metrics,
  };
}

/** How an instance's app is run. Its settings are all in the environment; its secrets come by the sidecar. */
export function appSpec(instance: AppInstance, options: ServiceOptions): ProcessSpec {
  const { databases, smtp, secrets, codeDir, env, preload } = options;
  const [command = '', ...args] = instance.command;
  const isNode = command === 'node';
  return {
    name: instance.name,
    command: isNode ? process.execPath : command,
    args: isNode && preload !== undefined ? ['--import', preload, ...args] : args,
    env: {
      PATH: env.PATH,
      HOME: env.HOME,
      APP_HOST: '127.0.0.1',
      PLAYBILL_DB_PRIMARY: textOf(databases.primary),
      PLAYBILL_DB_REPLICAS: databases.replicas.map(textOf).join(','),
      PLAYBILL_SMTP: textOf(smtp),
      ...instance.env,
      ...serviceSettings(env),
      PLAYBILL_REPLICA: instance.name,
      APP_ID: instance.appId,
      APP_PORT: String(instance.ports.app),
      DAPR_HTTP_PORT: String(instance.ports.http),
      DAPR_GRPC_PORT: String(instance.ports.grpc),
      DAPR_API_TOKEN: secretOf(secrets, 'dapr-api-token', 'token'),
      APP_API_TOKEN: secretOf(secrets, 'app-api-token', 'token'),
    },
    cwd: codeDir,
    check: async () => void (await requireOk(`http://127.0.0.1:${instance.ports.app}/readyz`)),
    stopGraceMs: STOP_GRACE_MS,
    stopOrder: isGateway(instance) ? StopOrder.gateway : StopOrder.instances,
  };
}

/** Prefixes of the variables that are a service's own settings, so that `BATCH_LEASE_MS=… npm start` works. */
const SETTING =
  /^(BATCH|GATEWAY|USER|VIDEO|WATCH|AD|REPORT|INFO|SMTP|OTEL)_|^PLAYBILL_(LOG_LEVEL|DB_POOL_SIZE|HOST|PORT)$/;

function serviceSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => SETTING.test(name)));
}

/** How an instance's sidecar is run. */
export function sidecarSpec(instance: AppInstance, options: ServiceOptions): ProcessSpec {
  const { layout, daprd, secrets, env, trustAnchors } = options;
  return {
    name: sidecarName(instance),
    command: daprd,
    args: sidecarArgs(instance, options),
    env: {
      PATH: env.PATH,
      HOME: env.HOME,
      TZ: 'UTC',
      NAMESPACE: 'default',
      DAPR_HOST_IP: '127.0.0.1',
      DAPR_API_TOKEN: secretOf(secrets, 'dapr-api-token', 'token'),
      APP_API_TOKEN: secretOf(secrets, 'app-api-token', 'token'),
      DAPR_TRUST_ANCHORS: trustAnchors,
    },
    cwd: layout.stateDir,
    check: () => requireSidecar(instance, secretOf(secrets, 'dapr-api-token', 'token')),
    stopGraceMs: STOP_GRACE_MS,
    stopOrder: StopOrder.instances,
  };
}

function sidecarArgs(instance: AppInstance, { layout, ports: infrastructure }: ServiceOptions): string[] {
  const { appId, ports, configFile, hasActors, sidecarFlags } = instance;
  return [
    `--app-id=${appId}`,
    `--app-port=${ports.app}`,
    `--dapr-http-port=${ports.http}`,
    `--dapr-grpc-port=${ports.grpc}`,
    `--dapr-internal-grpc-port=${ports.internalGrpc}`,
    '--dapr-listen-addresses=127.0.0.1',
    '--dapr-internal-grpc-listen-address=127.0.0.1',
    `--metrics-port=${ports.metrics}`,
    '--metrics-listen-address=127.0.0.1',
    `--resources-path=${join(layout.daprDir, 'resources')}`,
    `--config=${join(layout.daprDir, 'config', basename(configFile))}`,
    ...(hasActors ? [`--placement-host-address=127.0.0.1:${infrastructure.placement}`] : []),
    `--scheduler-host-address=127.0.0.1:${infrastructure.scheduler}`,
    '--enable-mtls',
    `--sentry-address=127.0.0.1:${infrastructure.sentry}`,
    `--control-plane-trust-domain=${TRUST_DOMAIN}`,
    '--dapr-graceful-shutdown-seconds=5',
    // It takes calls, and makes those of its service, until the service has handed back its work.
    ...(isGateway(instance) ? [] : ['--dapr-block-shutdown-duration=2s']),
    '--log-as-json',
    ...sidecarFlags,
  ];
}

interface Metadata {
  readonly actorRuntime?: { readonly runtimeStatus?: string; readonly placement?: string };
}

/** @throws unless the sidecar has its components and its app, and, for an app with actors, hosts them */
async function requireSidecar(instance: AppInstance, token: string): Promise<void> {
  const api = `http://127.0.0.1:${instance.ports.http}/v1.0`;
  const headers = { 'dapr-api-token': token };
  await requireOk(`${api}/healthz`, headers);
  const { actorRuntime } = JSON.parse(await requireOk(`${api}/metadata`, headers)) as Metadata;
  if (actorRuntime?.runtimeStatus === 'INITIALIZING') {
    throw new Error(`the sidecar of ${instance.name} does not host actors yet: ${actorRuntime.placement ?? ''}`);
  }
}
