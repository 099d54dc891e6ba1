import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Endpoint, endpoint, endpoints, readConfig } from '#lib/config';
import type { Credentials } from '#lib/database';
import { CommandError } from '../errors.js';

/** Where the parts of the installation are that the operator's commands talk to, and with what secrets. */
export interface Installation {
  readonly stateDir: string;
  readonly primary: Endpoint;
  readonly replicas: readonly { readonly name: string; readonly endpoint: Endpoint }[];
  /** HTTP ports of the sidecars of the batch service's replicas. */
  readonly batchSidecarPorts: readonly number[];
  readonly daprApiToken: string;
  readonly operator: Credentials;
  readonly maintenance: Credentials;
}

const settings = z.object({
  PLAYBILL_STATE_DIR: z.string().min(1).default('.local'),
  PLAYBILL_DB_PRIMARY: endpoint.optional(),
  PLAYBILL_DB_REPLICAS: endpoints.optional(),
  PLAYBILL_BATCH_SIDECAR_PORTS: z
    .string()
    .regex(/^\d{1,5}(,\d{1,5})*$/, 'must be port,port')
    .transform((text) => text.split(',').map(Number))
    .optional(),
});

const credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });
const token = z.union([z.string().min(1), z.object({ token: z.string().min(1) }).transform((secret) => secret.token)]);
const secretsSchema = z.object({
  'mysql-operator': credentials.optional(),
  'mysql-admin': credentials,
  'mysql-maintenance': credentials,
  'dapr-api-token': token.default(''),
});

/**
 * Reads the settings (environment variables first, then the description of the stack that runs) and the secrets of
 * the state folder.
 * @throws ConfigError for a malformed variable
 * @throws CommandError NOT_INSTALLED when there is no description or no secrets
 */
export async function readInstallation(env: Record<string, string | undefined> = process.env): Promise<Installation> {
  const config = readConfig(settings, env);
  const stateDir = config.PLAYBILL_STATE_DIR;
  const secrets = await readJson(join(stateDir, 'secrets.json'), secretsSchema);
  const primary = config.PLAYBILL_DB_PRIMARY;
  if (primary === undefined) throw new CommandError('NOT_INSTALLED', 'PLAYBILL_DB_PRIMARY is not set');
  return {
    stateDir,
    primary,
    replicas: (config.PLAYBILL_DB_REPLICAS ?? []).map((replica, index) => ({
      name: `replica-${index + 1}`,
      endpoint: replica,
    })),
    batchSidecarPorts: config.PLAYBILL_BATCH_SIDECAR_PORTS ?? [],
    daprApiToken: secrets['dapr-api-token'],
    operator: secrets['mysql-operator'] ?? secrets['mysql-admin'],
    maintenance: secrets['mysql-maintenance'],
  };
}

async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const detail = `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); has \`npm start\` been run?`;
    throw new CommandError('NOT_INSTALLED', detail, { cause: error });
  }
  const parsed = schema.safeParse(parseJson(path, text));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new CommandError('NOT_INSTALLED', `${path} is not as expected at: ${fields}`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError('NOT_INSTALLED', `${path} is not JSON`, { cause: error });
  }
}
