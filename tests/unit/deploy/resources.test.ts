import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';
import { composeInstances, readCompose } from './support/compose.js';
import { ofKind, type Resource, renderOverlay, servicesOf } from './support/kubernetes.js';
import { read } from './support/services.js';

const NAMESPACE = 'playbill';
const production = renderOverlay('production');
const dev = renderOverlay('dev');

/** Dapr's resources of a folder, by name. */
function readFolder(...path: string[]): Map<string, Resource> {
  const files = readdirSync(join(ROOT_DIR, ...path)).filter((file) => file.endsWith('.yaml'));
  const resources = files.map((file) => parse(read(...path, file)) as Resource);
  return new Map(resources.filter(({ kind }) => kind !== 'Kustomization').map((one) => [one.metadata.name, one]));
}

function byName(resources: readonly Resource[]): Map<string, Resource> {
  return new Map(resources.map((resource) => [resource.metadata.name, resource]));
}

/** What differs between the deployments on purpose, and why. */
const OTHER_TYPES: Readonly<Record<string, string>> = {
  secrets: 'secretstores.kubernetes', // a file locally
  pubsub: 'pubsub.kafka', // Redis locally
};

describe('components', () => {
  const local = readFolder('components', 'local');
  const kubernetes = byName(ofKind(production, 'Component'));

  test('have the same names, types and scopes on Kubernetes as locally', () => {
    const shapeOf = ([name, { spec, scopes }]: [string, Resource]) => ({ name, type: spec.type, scopes });
    const expected = [...local].map(shapeOf).map((one) => ({ ...one, type: OTHER_TYPES[one.name] ?? one.type }));
    const order = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    expect([...kubernetes].map(shapeOf).sort(order)).toEqual(expected.sort(order));
  });

  test('of the same type have the same settings, but for where a server is and TLS to it', () => {
    for (const [name, { spec }] of local) {
      if (name in OTHER_TYPES) continue;
      const settings = kubernetes.get(name)!.spec.metadata.filter((one: { name: string }) => one.name !== 'enableTLS');
      expect([name, settings]).toEqual([name, spec.metadata]);
    }
  });

  test('the development cluster differs from the local stack in its secret store only', () => {
    for (const [name, { spec, scopes }] of byName(ofKind(dev, 'Component'))) {
      expect([name, scopes]).toEqual([name, local.get(name)?.scopes]);
      if (name !== 'secrets') expect([name, spec]).toEqual([name, local.get(name)?.spec]);
    }
  });

  test('scopes name apps that there are', () => {
    const apps = servicesOf(production).map(({ appId }) => appId);
    for (const { scopes = [] } of local.values()) expect(apps).toEqual(expect.arrayContaining(scopes));
  });
});

describe('configurations', () => {
  const local = readFolder('dapr', 'config');
  local.delete('control-plane'); // of sentry, which on Kubernetes belongs to Dapr's own chart

  test.each(['dev', 'production'] as const)(
    '%s: access control and secrets are those of the local stack',
    (overlay) => {
      const kubernetes = byName(ofKind(renderOverlay(overlay), 'Configuration'));
      expect([...kubernetes.keys()].sort()).toEqual([...local.keys()].sort());
      for (const [name, { spec }] of local) {
        const { nameResolution: _names, mtls: _chart, tracing: _tracing, ...expected } = structuredClone(spec);
        for (const policy of expected.accessControl.policies) policy.namespace = NAMESPACE;
        const { tracing: _otel, ...actual } = kubernetes.get(name)!.spec;
        expect([name, actual]).toEqual([name, expected]);
      }
    },
  );

  test('everything is denied that no policy allows', () => {
    for (const [name, { spec }] of local) {
      const { accessControl, secrets } = spec;
      const defaults = accessControl.policies.map((policy: { defaultAction: string }) => policy.defaultAction);
      expect([name, new Set(['deny', accessControl.defaultAction, ...defaults])]).toEqual([name, new Set(['deny'])]);
      expect([name, secrets.scopes[0]]).toMatchObject([name, { storeName: 'secrets', defaultAccess: 'deny' }]);
    }
  });

  test("a service's role lets its sidecar read what its configuration allows, and nothing else", () => {
    const roles = byName(ofKind(production, 'Role'));
    for (const { appId, annotations } of servicesOf(production)) {
      const allowed = local.get(annotations['dapr.io/config']!)!.spec.secrets.scopes[0].allowedSecrets;
      const rules = roles.get(appId)?.rules ?? [];
      const expected = { apiGroups: [''], resources: ['secrets'], resourceNames: allowed, verbs: ['get'] };
      expect([appId, rules]).toEqual([appId, allowed.length === 0 ? [] : [expected]]);
    }
  });
});

test('resiliency is the same everywhere', () => {
  const [expected] = readFolder('dapr', 'resiliency').values();
  for (const resources of [dev, production]) {
    expect(ofKind(resources, 'Resiliency').map(({ spec }) => spec)).toEqual([expected!.spec]);
  }
});

test("compose mounts the local stack's own components, configurations and resiliency where its sidecars look", () => {
  for (const { sidecar } of composeInstances(readCompose())) {
    expect(sidecar.volumes).toEqual([
      './components/local:/components:ro',
      './dapr/resiliency:/resiliency:ro',
      './dapr/config:/config:ro',
      'names:/.local/dapr',
    ]);
    expect(sidecar.secrets).toEqual([{ source: 'store', target: '/.local/secrets.json' }]);
  }
});

describe('images', () => {
  const { services } = readCompose();
  const images = Object.values(services).map(({ image }) => image);

  test('are pinned by version', () => {
    for (const image of images) expect(image).toMatch(/^([\w.-]+\/)*[\w-]+:(v?\d[\w.-]*|\$\{PLAYBILL_VERSION:-dev\})$/);
  });

  test('of Dapr are of the version that the local stack builds', () => {
    const [, version] = /github\.com\/dapr\/dapr v([\d.]+)/.exec(read('dapr', 'runtime', 'go.mod'))!;
    const dapr = images.filter((image) => image.startsWith('daprio/'));
    expect(new Set(dapr.map((image) => basename(image).split(':')[1]))).toEqual(new Set([version]));
  });

  test('of servers are the same in compose and in the development cluster', () => {
    const pods = [...ofKind(dev, 'StatefulSet'), ...ofKind(dev, 'Deployment')];
    const used = pods.flatMap(({ spec }) => spec.template.spec.containers.map((one: { image: string }) => one.image));
    for (const image of used.filter((one) => !one.startsWith('playbill:'))) expect(images).toContain(image);
  });
});

describe('containers', () => {
  test('of compose have a root file system that is read only, and give up every capability that they do not need', () => {
    for (const [name, service] of Object.entries(readCompose().services)) {
      const { read_only, cap_drop, security_opt } = service;
      expect([name, { read_only, cap_drop, security_opt }]).toEqual([
        name,
        { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
      ]);
    }
  });

  test('of compose are reached from this machine only', () => {
    const ports = Object.values(readCompose().services).flatMap((service) => service.ports ?? []);
    for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{PLAYBILL_HOST:-127\.0\.0\.1\}):/);
  });

  test('of Kubernetes fulfil the restricted pod security standard, with a read-only root file system', () => {
    const kinds = ['Deployment', 'Job'];
    for (const { metadata, spec } of kinds.flatMap((kind) => ofKind(production, kind))) {
      const { securityContext, containers } = spec.template.spec;
      expect([metadata.name, securityContext]).toMatchObject([
        metadata.name,
        { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      ]);
      for (const container of containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });
});
