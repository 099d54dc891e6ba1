import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DaprPrograms } from '../prerequisites/dapr.js';
import { requireOk } from './http.js';
import type { ProcessSpec } from './managed-process.js';
import type { StateLayout } from './paths.js';
import type { Ports } from './ports.js';
import { StopOrder } from './stop-order.js';

export interface ControlPlaneOptions {
  readonly layout: StateLayout;
  readonly programs: DaprPrograms;
  readonly ports: Ports;
  readonly env: NodeJS.ProcessEnv;
}

export const TRUST_DOMAIN = 'localhost';
const CERTIFICATE_DAYS_LEFT_MIN = 30;
const DAY_MS = 86_400_000;

/** The folder of the stack's own certificate authority. */
function certificatesDir(layout: StateLayout): string {
  return join(layout.daprDir, 'certificates');
}

function trustAnchorsFile(layout: StateLayout): string {
  return join(certificatesDir(layout), 'ca.crt');
}

/** The text of the certificate that every process of the stack trusts; sentry has made it when it is healthy. */
export function readTrustAnchors(layout: StateLayout): Promise<string> {
  return readFile(trustAnchorsFile(layout), 'utf8');
}

/** Removes an authority that ends soon, so that sentry makes another. */
export async function prepareCertificates(layout: StateLayout): Promise<void> {
  const dir = certificatesDir(layout);
  try {
    const text = await readFile(join(dir, 'issuer.crt'), 'utf8');
    const daysLeft = (Date.parse(new X509Certificate(text).validTo) - Date.now()) / DAY_MS;
    if (daysLeft < CERTIFICATE_DAYS_LEFT_MIN) await rm(dir, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
}

/** Issues the certificates of everything else; it must be healthy before anything else of Dapr starts. */
export function sentrySpec(options: ControlPlaneOptions): ProcessSpec {
  const { layout, programs, ports } = options;
  return controlPlaneSpec(options, {
    name: 'sentry',
    command: programs.sentry,
    args: [
      `--issuer-credentials=${certificatesDir(layout)}`,
      `--config=${join(layout.daprDir, 'config', 'control-plane.yaml')}`,
      `--port=${ports.sentry}`,
    ],
  });
}

/** Knows which sidecar hosts which actor. */
export function placementSpec(options: ControlPlaneOptions): ProcessSpec {
  const { programs, ports } = options;
  return controlPlaneSpec(options, {
    name: 'placement',
    command: programs.placement,
    args: [
      `--port=${ports.placement}`,
      `--initial-cluster=dapr-placement-0=127.0.0.1:${ports['placement-raft']}`,
      // A host that hangs is given up after three seconds.
      '--keepalive-time=1s',
      '--keepalive-timeout=2s',
      ...tlsArgs(options),
    ],
  });
}

/** Keeps actors' reminders, on disk. */
export function schedulerSpec(options: ControlPlaneOptions): ProcessSpec {
  const { layout, programs, ports } = options;
  return controlPlaneSpec(options, {
    name: 'scheduler',
    command: programs.scheduler,
    args: [
      `--port=${ports.scheduler}`,
      `--etcd-data-dir=${join(layout.daprDir, 'scheduler')}`,
      '--etcd-client-listen-address=127.0.0.1',
      `--etcd-client-port=${ports['scheduler-etcd']}`,
      `--etcd-initial-cluster=dapr-scheduler-server-0=http://127.0.0.1:${ports['scheduler-etcd-peer']}`,
      `--override-broadcast-host-port=127.0.0.1:${ports.scheduler}`,
      ...tlsArgs(options),
    ],
  });
}

function tlsArgs({ layout, ports }: ControlPlaneOptions): string[] {
  return [
    '--tls-enabled',
    `--sentry-address=127.0.0.1:${ports.sentry}`,
    `--trust-anchors-file=${trustAnchorsFile(layout)}`,
  ];
}

interface Part {
  readonly name: 'sentry' | 'placement' | 'scheduler';
  readonly command: string;
  readonly args: readonly string[];
}

function controlPlaneSpec({ layout, ports, env }: ControlPlaneOptions, part: Part): ProcessSpec {
  const healthPort = ports[`${part.name}-health`];
  return {
    name: part.name,
    command: part.command,
    args: [
      ...part.args,
      '--mode=standalone',
      `--trust-domain=${TRUST_DOMAIN}`,
      '--listen-address=127.0.0.1',
      '--healthz-listen-address=127.0.0.1',
      `--healthz-port=${healthPort}`,
      '--metrics-listen-address=127.0.0.1',
      `--metrics-port=${ports[`${part.name}-metrics`]}`,
      '--log-as-json',
    ],
    env: { PATH: env.PATH, HOME: env.HOME, TZ: 'UTC', NAMESPACE: 'default', DAPR_HOST_IP: '127.0.0.1' },
    cwd: layout.stateDir,
    check: async () => void (await requireOk(`http://127.0.0.1:${healthPort}/healthz`)),
    stopGraceMs: 5_000,
    stopOrder: StopOrder.controlPlane,
  };
}
