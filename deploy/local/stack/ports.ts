import { createServer } from 'node:net';
import { SetupError } from './errors.js';

/**
 * Ports of the infrastructure at offset 0. With an offset of at most 16000 they lie below the range from which systems
 * take ports for outgoing connections (32768 and up). Together with those of dapr/dapr.yaml they differ in their last three
 * digits, so that stacks whose offsets are multiples of 1000 never share one.
 */
const BASE_PORTS = {
  'mariadb-primary': 13306,
  'mariadb-replica-1': 13307,
  'mariadb-replica-2': 13308,
  redis: 16379,
  placement: 15005,
  scheduler: 15006,
  sentry: 15007,
  'placement-health': 15105,
  'scheduler-health': 15106,
  'sentry-health': 15107,
  'placement-metrics': 15205,
  'scheduler-metrics': 15206,
  'sentry-metrics': 15207,
  'placement-raft': 15301,
  'scheduler-etcd': 15405,
  'scheduler-etcd-peer': 15406,
  'inbox-web': 5093,
  'inbox-smtp': 5094,
} as const;

export type InfrastructurePort = keyof typeof BASE_PORTS;
export type Ports = Readonly<Record<InfrastructurePort, number>>;

const PORT_MAX = 65_535;
/** `dapr run` expects sentry there and cannot be told otherwise, so the stack without an offset has it there. */
const SENTRY_PORT_OF_DAPR_RUN = 50_001;

/** Environment variable that overrides one port, e.g. PLAYBILL_PORT_REDIS. */
export function portVariable(name: string): string {
  return `PLAYBILL_PORT_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** @throws SetupError when the offset is not a number that leaves all ports below 65536 */
export function portsOf(offset: number, env: NodeJS.ProcessEnv = process.env): Ports {
  const entries = Object.entries(BASE_PORTS).map(([name, base]) => {
    const usual = name === 'sentry' && offset === 0 ? SENTRY_PORT_OF_DAPR_RUN : shifted(base, offset);
    return [name, portFromEnv(portVariable(name), env) ?? usual];
  });
  return Object.fromEntries(entries);
}

/** A port of the table or of the run file, moved by the stack's offset. */
export function shifted(base: number, offset: number): number {
  const port = base + offset;
  if (Number.isInteger(port) && port > 1023 && port <= PORT_MAX) return port;
  throw new SetupError(
    `port ${base} + offset ${offset} is not a port`,
    'PLAYBILL_PORT_OFFSET: a multiple of 1000, best below 6000',
  );
}

/** @throws SetupError when the variable is set to something else than a port */
export function portFromEnv(variable: string, env: NodeJS.ProcessEnv = process.env): number | undefined {
  const text = env[variable];
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= PORT_MAX) return port;
  throw new SetupError(`${variable}=${text} is not a port`, 'a number from 1 to 65535');
}

export interface PortUse {
  /** The process that wants it. */
  readonly name: string;
  readonly port: number;
  /** Variable that moves this port alone. */
  readonly variable?: string;
}

/** @throws SetupError naming the first port that another program listens on, and how to take another */
export async function requireFreePorts(uses: readonly PortUse[]): Promise<void> {
  const taken = await Promise.all(uses.map(async (use) => ((await isFree(use.port)) ? undefined : use)));
  const first = taken.find((use) => use !== undefined);
  if (first === undefined) return;
  const alone = first.variable === undefined ? '' : `, or ${first.variable} for this one`;
  throw new SetupError(
    `port ${first.port}, needed for ${first.name}, is used by another program`,
    `end that program, or set PLAYBILL_PORT_OFFSET (e.g. 3000) to move all ports${alone}`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
