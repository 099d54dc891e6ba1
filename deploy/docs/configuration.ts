import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { databaseSettings, serviceSettings } from '../../services/libs/config/index.js';
import { migrateConfigSchema } from '../../services/libs/database/migrate.js';
import { configSchema as replicationSchema } from '../compose/replication.js';
import { ROOT_DIR } from '../local/stack/paths.js';

/** Variables of one schema, with the comments of the file that it stands in. */
interface Section {
  readonly title: string;
  readonly text?: string;
  readonly shape: z.ZodRawShape;
  /** Relative to the repository's root. */
  readonly source: string;
  /** Described in another section. */
  readonly without?: readonly string[];
}

const INTRODUCTION = `# Configuration

<!-- Made from the schemas by \`npm run docs\`; do not edit. -->

Every setting is an environment variable. A service reads them when it starts, by a schema, and refuses to start with
one line for each variable that is missing or malformed. Secrets (passwords, keys) are not among them but come by the
sidecar's secret store, except for the two tokens that a service and its sidecar show each other.
\`BATCH_LEASE_MS=… npm start\` sets a variable of a service in the local stack; what the local set-up itself reads is in
[operations](operations.md).
`;

/** The page docs/configuration.md. */
export async function configurationPage(): Promise<string> {
  const shared = [...Object.keys(serviceSettings), ...Object.keys(databaseSettings)];
  const sections: Section[] = [
    { title: 'Every service', shape: serviceSettings, source: 'services/libs/config/index.ts' },
    {
      title: 'Every service with a database account',
      shape: databaseSettings,
      source: 'services/libs/config/index.ts',
    },
    ...(await serviceSections(shared)),
    {
      title: 'Migrations',
      text: 'Of the job that brings schemas, tables and accounts up to date; one of the last two has to be set.',
      shape: migrateConfigSchema.shape,
      source: 'services/libs/database/migrate.ts',
    },
    {
      title: 'Replication',
      text: 'Of the job that has the replicas of `docker-compose.yml` follow the primary.',
      shape: replicationSchema.shape,
      source: 'deploy/compose/replication.ts',
    },
  ];
  const parts = await Promise.all(sections.map(render));
  return [INTRODUCTION, ...parts].join('\n');
}

async function serviceSections(without: readonly string[]): Promise<Section[]> {
  const entries = await readdir(join(ROOT_DIR, 'services'), { recursive: true });
  const sources = entries.filter((file) => /^[^/]+\/config\.ts$/.test(file)).sort();
  return Promise.all(
    sources.map(async (file) => {
      const { configSchema } = await import(`../../services/${file.replace(/\.ts$/, '.js')}`);
      const service = file.replace('/config.ts', '');
      return { title: `\`${service}\``, shape: configSchema.shape, source: `services/${file}`, without };
    }),
  );
}

async function render({ title, text, shape, source, without = [] }: Section): Promise<string> {
  const comments = commentsOf(await readFile(join(ROOT_DIR, source), 'utf8'));
  const names = Object.keys(shape).filter((name) => !without.includes(name));
  const rows = names.map((name) => {
    const { values, fallback } = describe(shape[name] as z.ZodType);
    const meaning = comments.get(name);
    if (meaning === undefined) throw new Error(`${source}: ${name} has no comment that says what it means`);
    return `| \`${name}\` | ${meaning} | ${values} | ${fallback} |`;
  });
  const table = ['| variable | meaning | values | default |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return `## ${title}\n${text === undefined ? '' : `\n${text}\n`}\n${table}\n`;
}

/** The comment right before each variable. */
function commentsOf(source: string): Map<string, string> {
  const found = source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}([A-Z][A-Z0-9_]+):/g);
  return new Map([...found].map(([, comment, name]) => [name!, textOf(comment!)]));
}

function textOf(comment: string): string {
  return comment
    .replaceAll(/\s*\n\s*\*?\s*/g, ' ')
    .trim()
    .replaceAll('|', '\\|');
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly default?: unknown;
}

/** In words: what is accepted, and what holds without it. */
function describe(type: z.ZodType): { values: string; fallback: string } {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  // A number is read from a text, which its input would accept in any form.
  const bounds = z.toJSONSchema(type, { io: 'output', unrepresentable: 'any' }) as JsonSchema;
  const isOptional = type.safeParse(undefined).success;
  const fallback = schema.default === undefined ? (isOptional ? 'none' : '**required**') : shown(schema.default);
  return {
    values: valuesOf({ ...schema, ...bounds, ...(schema.pattern ? { pattern: schema.pattern } : {}) }),
    fallback,
  };
}

function valuesOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.type === 'integer' || schema.type === 'number') {
    const { minimum, maximum = Number.MAX_SAFE_INTEGER } = schema;
    return maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum}–${maximum}`;
  }
  if (schema.format === 'uri') return 'URL';
  if (schema.minLength !== undefined && schema.minLength > 1) return `text of ${schema.minLength} or more`;
  if (schema.pattern?.includes(':') === true) return schema.pattern.includes('(,') ? 'host:port list' : 'host:port';
  return 'text';
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`${value.join(',')}\``;
  return value === '' ? 'none' : `\`${value}\``;
}
