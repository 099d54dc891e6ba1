import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Endpoint, endpoint, endpoints, port, readConfig } from '#lib/config';
import type { Credentials } from '#lib/database';
import { CommandError } from '../errors.js';

/** Where the parts of the installation are that the operator's commands talk to, and with what secrets. */
export interface Installation {
  readonly primary: Endpoint;
  readonly replicas: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  /** HTTP ports of the sidecars of the batch service's replicas. */
  readonly batchSidecarPorts: readonly number[];
  /** HTTP ports of the sidecars of the user service's replicas. */
  readonly userSidecarPorts: readonly number[];
  /** HTTP ports of the sidecars of the report service's replicas. */
  readonly reportSidecarPorts: readonly number[];
  /** HTTP ports of the sidecars of the watch-history service's replicas. */
  readonly watchHistorySidecarPorts: readonly number[];
  readonly daprApiToken: string;
  /** Shown to the user service, which gives an operator's token for it. */
  readonly opsKey: string;
  readonly operator: Credentials;
  readonly maintenance: Credentials;
}

const ports = z
  .string()
  .regex(/^\d{1,5}(,\d{1,5})*$/, 'must be port,port')
  .transform((text) => text.split(',').map(Number));

const settings = z.object({
  PLAYBILL_STATE_DIR: z.string().min(1).default('.local'),
  PLAYBILL_DB_PRIMARY: endpoint.optional(),
  PLAYBILL_DB_REPLICAS: endpoints.optional(),
  PLAYBILL_BATCH_SIDECAR_PORTS: ports.optional(),
  PLAYBILL_USER_SIDECAR_PORTS: ports.optional(),
  PLAYBILL_REPORT_SIDECAR_PORTS: ports.optional(),
  PLAYBILL_WATCH_HISTORY_SIDECAR_PORTS: ports.optional(),
});

const listening = z.object({ host: z.string().min(1), port });
const stackSchema = z.object({
  primary: listening,
  replicas: z.array(z.object({ name: z.string().min(1), endpoint: listening })),
  batch: z.object({ sidecarPorts: z.array(port) }),
  user: z.object({ sidecarPorts: z.array(port) }),
  report: z.object({ sidecarPorts: z.array(port) }).default({ sidecarPorts: [] }),
  /** By app-id. */
  apps: z.record(z.string(), z.array(z.object({ sidecarHttpPort: port })).readonly()).default({}),
});

/** Where the servers of a running stack are, as its description has it. */
export type StackEndpoints = z.input<typeof stackSchema>;

const credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });
const secretsSchema = z.object({
  'mysql-operator': credentials.optional(),
  'mysql-admin': credentials,
  'mysql-maintenance': credentials,
  'dapr-api-token': z.object({ token: z.string().min(1) }),
  'ops-key': z.object({ token: z.string().min(1) }),
});

/**
 * Reads the description of the stack that runs and the secrets of the state folder `PLAYBILL_STATE_DIR` (`.local`).
 * `PLAYBILL_DB_PRIMARY`, `PLAYBILL_DB_REPLICAS`, `PLAYBILL_BATCH_SIDECAR_PORTS` and `PLAYBILL_USER_SIDECAR_PORTS`
 * stand in for the description.
 * @throws ConfigError for a malformed variable
 * @throws CommandError NOT_INSTALLED when there is no description or no secrets
 */
export async function readInstallation(env: Record<string, string | undefined> = process.env): Promise<Installation> {
  const config = readConfig(settings, env);
  const secrets = await readJson(join(config.PLAYBILL_STATE_DIR, 'secrets.json'));
  if (config.PLAYBILL_DB_PRIMARY === undefined) {
    const stack = await readJson(join(config.PLAYBILL_STATE_DIR, 'stack.json'));
    return installationOf((stack as { endpoints?: unknown } | null)?.endpoints, secrets);
  }
  const replicas = (config.PLAYBILL_DB_REPLICAS ?? []).map((at, index) => ({
    name: `replica-${index + 1}`,
    endpoint: at,
  }));
  const batch = { sidecarPorts: config.PLAYBILL_BATCH_SIDECAR_PORTS ?? [] };
  const user = { sidecarPorts: config.PLAYBILL_USER_SIDECAR_PORTS ?? [] };
  const report = { sidecarPorts: config.PLAYBILL_REPORT_SIDECAR_PORTS ?? [] };
  const watchHistory = config.PLAYBILL_WATCH_HISTORY_SIDECAR_PORTS ?? [];
  const apps = { 'watch-history': watchHistory.map((sidecarHttpPort) => ({ sidecarHttpPort })) };
  return installationOf({ primary: config.PLAYBILL_DB_PRIMARY, replicas, batch, user, report, apps }, secrets);
}

/**
 * The installation of a stack.
 * @param stack where its servers are, `endpoints` of its description
 * @throws CommandError NOT_INSTALLED naming what is missing in them
 */
export function installationOf(stack: unknown, secrets: unknown): Installation {
  const endpointsOfStack = parseOrFail("the stack's description", stackSchema, stack);
  const known = parseOrFail('the secrets file', secretsSchema, secrets);
  return {
    primary: endpointsOfStack.primary,
    replicas: endpointsOfStack.replicas,
    batchSidecarPorts: endpointsOfStack.batch.sidecarPorts,
    userSidecarPorts: endpointsOfStack.user.sidecarPorts,
    reportSidecarPorts: endpointsOfStack.report.sidecarPorts,
    watchHistorySidecarPorts: (endpointsOfStack.apps['watch-history'] ?? []).map((app) => app.sidecarHttpPort),
    daprApiToken: known['dapr-api-token'].token,
    opsKey: known['ops-key'].token,
    operator: known['mysql-operator'] ?? known['mysql-admin'],
    maintenance: known['mysql-maintenance'],
  };
}

function parseOrFail<S extends z.ZodType>(what: string, schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'all').join(', ');
  throw new CommandError('NOT_INSTALLED', `${what} is not as expected at: ${fields}`);
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const detail = `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); is the stack running (npm start)?`;
    throw new CommandError('NOT_INSTALLED', detail, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError('NOT_INSTALLED', `${path} is not JSON`, { cause: error });
  }
}
