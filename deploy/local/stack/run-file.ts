import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT_DIR } from './paths.js';
import { portFromEnv, shifted } from './ports.js';

const port = z.number().int().min(1).max(65_535);
const variables = z.record(z.string(), z.coerce.string()).default({});

/** Fields of Dapr's multi-app run file that may be given for all apps or for one. */
const sharedFields = {
  configFilePath: z.string().optional(),
  placementHostAddress: z.string().optional(),
  appProtocol: z.string().optional(),
  enableAppHealthCheck: z.boolean().optional(),
  appHealthCheckPath: z.string().optional(),
  appHealthProbeInterval: z.number().int().optional(),
  appHealthProbeTimeout: z.number().int().optional(),
  appHealthThreshold: z.number().int().optional(),
  maxBodySize: z.string().optional(),
  logLevel: z.string().optional(),
};

const runFileSchema = z.object({
  version: z.literal(1),
  common: z.object({ ...sharedFields, env: variables }).prefault({}),
  apps: z.array(
    z.object({
      ...sharedFields,
      appID: z.string().min(1),
      appPort: port,
      daprHTTPPort: port,
      daprGRPCPort: port,
      daprInternalGRPCPort: port,
      metricsPort: port,
      command: z.array(z.string()).min(1),
      env: variables,
    }),
  ),
});

/** One instance of an app, as the run file describes it, with the stack's ports. */
export interface AppInstance {
  /** Its PLAYBILL_REPLICA, or else its app-id: unique in a stack. */
  readonly name: string;
  readonly appId: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: {
    readonly app: number;
    readonly http: number;
    readonly grpc: number;
    readonly internalGrpc: number;
    readonly metrics: number;
  };
  /** Relative to the repository's root. */
  readonly configFile: string;
  /** Its sidecar knows where actors live: it has some, or calls some. */
  readonly hasActors: boolean;
  /** Flags of the sidecar that the run file sets. */
  readonly sidecarFlags: readonly string[];
}

/** The app with the public port, which PLAYBILL_PORT sets. */
export const GATEWAY = 'gateway';

export interface RunFileOptions {
  readonly portOffset: number;
  readonly env: NodeJS.ProcessEnv;
  /** App-ids to run; all of them when undefined. */
  readonly services: readonly string[] | undefined;
}

/** Reads dapr/dapr.yaml. @throws naming the field that is missing or malformed */
export async function readRunFile(options: RunFileOptions): Promise<AppInstance[]> {
  const { common, apps } = runFileSchema.parse(parse(await readFile(join(ROOT_DIR, 'dapr', 'dapr.yaml'), 'utf8')));
  const instances = apps
    .filter((app) => options.services?.includes(app.appID) ?? true)
    .map((app) => {
      const env = { ...common.env, ...app.env };
      const own = Object.fromEntries(Object.entries(app).filter(([, value]) => value !== undefined));
      const shared = { ...common, ...own };
      const configFile = app.configFilePath ?? common.configFilePath ?? join('dapr', 'config', `${app.appID}.yaml`);
      const at = (base: number) => shifted(base, options.portOffset);
      const publicPort = app.appID === GATEWAY ? portFromEnv('PLAYBILL_PORT', options.env) : undefined;
      return {
        name: env.PLAYBILL_REPLICA ?? app.appID,
        appId: app.appID,
        command: app.command,
        env,
        ports: {
          app: publicPort ?? at(app.appPort),
          http: at(app.daprHTTPPort),
          grpc: at(app.daprGRPCPort),
          internalGrpc: at(app.daprInternalGRPCPort),
          metrics: at(app.metricsPort),
        },
        configFile,
        hasActors: (shared.placementHostAddress ?? '') !== '',
        sidecarFlags: sidecarFlags(shared),
      };
    });
  requireUniqueNames(instances);
  return instances;
}

/**
 * Numbers, in ports as in the run file, that instances added at run time may take: first those that nobody has, then
 * those of instances that are gone. 5093, 5094 and 5098 are ports of the inbox and of tests.
 */
const NUMBERS = [95, 96, 97, 99, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92];

/**
 * One more instance of an app of the run file, like its first.
 * @param running everything that runs already
 */
export function oneMore(appId: string, running: readonly AppInstance[]): AppInstance {
  const same = running.filter((instance) => instance.appId === appId);
  const [first] = same;
  if (first === undefined) throw new Error(`no instance of ${appId} runs`);
  const taken = new Set(running.map(({ ports }) => numberOf(ports)));
  const number = NUMBERS.find((one) => !taken.has(one));
  if (number === undefined) throw new Error(`${taken.size} instances run already`);
  let ordinal = same.length + 1;
  while (same.some(({ name }) => name === `${appId}-${ordinal}`)) ordinal += 1;
  const shift = number - numberOf(first.ports);
  const { app, http, grpc, internalGrpc, metrics } = first.ports;
  return {
    ...first,
    name: `${appId}-${ordinal}`,
    ports: {
      app: app + shift,
      http: http + shift,
      grpc: grpc + shift,
      internalGrpc: internalGrpc + shift,
      metrics: metrics + shift,
    },
  };
}

/** Offsets are multiples of 1000. */
function numberOf({ http }: AppInstance['ports']): number {
  return http % 100;
}

type SharedFields = { [K in keyof typeof sharedFields]?: string | number | boolean | undefined };

const FLAGS: readonly [keyof typeof sharedFields, string][] = [
  ['appProtocol', '--app-protocol'],
  ['appHealthCheckPath', '--app-health-check-path'],
  ['appHealthProbeInterval', '--app-health-probe-interval'],
  ['appHealthProbeTimeout', '--app-health-probe-timeout'],
  ['appHealthThreshold', '--app-health-threshold'],
  ['maxBodySize', '--max-body-size'],
  ['logLevel', '--log-level'],
];

function sidecarFlags(fields: SharedFields): string[] {
  const flags = FLAGS.flatMap(([field, flag]) => (fields[field] === undefined ? [] : [`${flag}=${fields[field]}`]));
  return fields.enableAppHealthCheck === true ? [...flags, '--enable-app-health-check'] : flags;
}

function requireUniqueNames(instances: readonly AppInstance[]): void {
  const seen = new Set<string>();
  for (const { name } of instances) {
    if (seen.has(name)) throw new Error(`dapr/dapr.yaml has two instances ${name}: set PLAYBILL_REPLICA of each`);
    seen.add(name);
  }
}
