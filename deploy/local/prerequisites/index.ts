import type { MariadbPrograms } from '../stack/mariadb.js';
import type { RunStep } from '../stack/run-step.js';
import type { ServerSettings } from '../stack/settings.js';
import { findProgram } from './commands.js';
import { type DaprPrograms, findDapr } from './dapr.js';
import { installPackages } from './packages.js';

/** Programs that a stack runs; a server that the environment names needs none. */
export interface Programs {
  readonly mariadb: MariadbPrograms | undefined;
  readonly redis: string | undefined;
  readonly dapr: DaprPrograms;
}

export interface ProgramOptions {
  readonly needs: ServerSettings;
  readonly step: RunStep;
}

/**
 * Finds the database server, Redis and the Dapr runtime, and installs or builds what is missing.
 * @throws SetupError saying what is missing and how to get it
 */
export async function findPrograms({ needs, step }: ProgramOptions): Promise<Programs> {
  const missing = missingPackages(needs);
  if (missing.length > 0) {
    await step(`Installing ${missing.join(', ')} (a minute)`, (note) => installPackages(missing, note));
  }
  return {
    mariadb: needs.database.isPrivate ? findMariadb() : undefined,
    redis: needs.redis.isPrivate ? findRedis() : undefined,
    dapr: await findDapr(step),
  };
}

function missingPackages(needs: ServerSettings): string[] {
  const wantsMariadb = needs.database.isPrivate && findMariadb() === undefined;
  const wantsRedis = needs.redis.isPrivate && findRedis() === undefined;
  return [...(wantsMariadb ? ['mariadb-server-core', 'mariadb-client'] : []), ...(wantsRedis ? ['redis-server'] : [])];
}

function findMariadb(): MariadbPrograms | undefined {
  const server = findProgram('mariadbd');
  const install = findProgram('mariadb-install-db');
  // What backups are made with.
  const dump = findProgram('mariadb-dump');
  return server === undefined || install === undefined || dump === undefined ? undefined : { server, install };
}

function findRedis(): string | undefined {
  return findProgram('redis-server', 'valkey-server');
}
