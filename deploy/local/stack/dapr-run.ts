import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readTrustAnchors } from './control-plane.js';
import { textOf } from './endpoints.js';
import type { StateLayout } from './paths.js';
import { type Secrets, secretOf, writePrivately } from './secrets.js';
import type { ServerSettings } from './settings.js';

export interface DaprRunOptions {
  readonly layout: StateLayout;
  readonly daprd: string;
  readonly secrets: Secrets;
  readonly settings: Pick<ServerSettings, 'database' | 'mail'>;
}

/**
 * Writes what `dapr run -f dapr/dapr.yaml` needs of a stack without services: the variables that apps and sidecars
 * inherit, as a file to source, and a folder in which the command finds this stack's daprd.
 */
export async function writeDaprRunFiles({ layout, daprd, secrets, settings }: DaprRunOptions): Promise<void> {
  const bin = join(layout.stateDir, '.dapr', 'bin');
  await mkdir(bin, { recursive: true });
  await rm(join(bin, 'daprd'), { force: true });
  await symlink(daprd, join(bin, 'daprd'));
  const variables = {
    NAMESPACE: 'default',
    DAPR_HOST_IP: '127.0.0.1',
    DAPR_RUNTIME_PATH: layout.stateDir,
    DAPR_API_TOKEN: secretOf(secrets, 'dapr-api-token', 'token'),
    APP_API_TOKEN: secretOf(secrets, 'app-api-token', 'token'),
    DAPR_TRUST_ANCHORS: await readTrustAnchors(layout),
    PLAYBILL_DB_PRIMARY: textOf(settings.database.primary),
    PLAYBILL_DB_REPLICAS: settings.database.replicas.map(textOf).join(','),
    PLAYBILL_SMTP: textOf(settings.mail.smtp),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  await writePrivately(join(layout.stateDir, 'dapr-run.env'), `${lines.join('\n')}\n`);
}
