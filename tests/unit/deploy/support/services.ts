import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { layoutOf, ROOT_DIR } from '../../../../deploy/local/stack/paths.js';
import { portsOf } from '../../../../deploy/local/stack/ports.js';
import type { ServiceOptions } from '../../../../deploy/local/stack/services.js';

/** Names that no service's schema has and that any process may be given. */
export const OF_EVERY_PROCESS = ['TZ', 'NODE_OPTIONS', 'DAPR_GRPC_PORT', 'APP_ID'];

/** What the local supervisor needs to say how it would start a service; nothing is started. */
export const LOCAL_OPTIONS: ServiceOptions = {
  layout: layoutOf('.local'),
  ports: portsOf(0, {}),
  daprd: 'daprd',
  trustAnchors: '',
  secrets: { 'dapr-api-token': { token: 'x' }, 'app-api-token': { token: 'x' } },
  databases: { primary: { host: 'h', port: 1 }, replicas: [] },
  smtp: { host: 'h', port: 1 },
  codeDir: '.',
  env: {},
};

/** The folder of a service's code, from the file that its command starts. */
export function folderOf(command: readonly string[]): string {
  const entry = entryOf(command);
  const folder = /^\.local\/build\/services\/([^/]+)\/main\.js$/.exec(entry)?.[1];
  if (folder === undefined) throw new Error(`${entry} is no service's main.js`);
  return folder;
}

/** The file that a command starts, whether it names `node` or the image does. */
export function entryOf(command: readonly string[]): string {
  const entry = command.find((word) => word !== 'node' && !word.startsWith('-'));
  if (entry === undefined) throw new Error(`${command.join(' ')} starts nothing`);
  return entry;
}

/** The schema of a service's settings. */
export async function configSchemaOf(folder: string): Promise<z.ZodObject> {
  const { configSchema } = await import(`../../../../services/${folder}/config.ts`);
  return configSchema;
}

/** A text of the repository. */
export function read(...path: string[]): string {
  return readFileSync(join(ROOT_DIR, ...path), 'utf8');
}
