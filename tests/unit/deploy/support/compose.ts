import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT_DIR } from '../../../../deploy/local/stack/paths.js';

/** One container of docker-compose.yml, as far as the tests look at it. */
export interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly network_mode?: string;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly (string | { source: string })[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly user?: string;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { file: string }>>;
}

export function readCompose(): ComposeFile {
  const text = readFileSync(join(ROOT_DIR, 'docker-compose.yml'), 'utf8');
  // Its anchors are used by every instance of every service.
  return parse(text, { merge: true, maxAliasCount: -1 }) as ComposeFile;
}

/** An instance of a service: the container with its address, the service, the sidecar. */
export interface ComposeInstance {
  readonly name: string;
  readonly app: ComposeService;
  readonly sidecar: ComposeService;
  /** By their name, without dashes in front; a flag that is given twice has all its values. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

export function composeInstances({ services }: ComposeFile): ComposeInstance[] {
  return Object.keys(services)
    .filter((name) => `${name}-app` in services)
    .map((name) => {
      const [app, sidecar] = [services[`${name}-app`]!, services[`${name}-dapr`]];
      if (sidecar === undefined) throw new Error(`${name} has no sidecar`);
      return { name, app, sidecar, flags: flagsOf(sidecar.command ?? []) };
    });
}

/** What `--name=value` and `--name` say. */
export function flagsOf(command: readonly string[]): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  for (const word of command.filter((text) => text.startsWith('--'))) {
    const [name = '', ...value] = word.slice(2).split('=');
    flags.set(name, [...(flags.get(name) ?? []), value.join('=')]);
  }
  return flags;
}
