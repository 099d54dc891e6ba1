import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { goPath } from '../../../../deploy/local/prerequisites/go.js';
import { ROOT_DIR } from '../../../../deploy/local/stack/paths.js';

export type Overlay = 'dev' | 'production';

/** A resource as kustomize prints it. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: its shape is checked by the schemas
  readonly [field: string]: any;
}

/** In the order of preference; the last needs Go only, which builds the Dapr runtime as well. */
const KUSTOMIZE: readonly (readonly string[])[] = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
  [goPath() ?? 'go', 'run', 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1', 'build'],
];

const rendered = new Map<Overlay, Resource[]>();

/** What `kubectl apply -k deploy/kubernetes/overlays/<overlay>` would send. */
export function renderOverlay(overlay: Overlay): Resource[] {
  const known = rendered.get(overlay);
  if (known !== undefined) return known;
  const text = kustomize(join(ROOT_DIR, 'deploy', 'kubernetes', 'overlays', overlay));
  const resources = parseAllDocuments(text).map((document) => document.toJS() as Resource);
  rendered.set(overlay, resources);
  return resources;
}

function kustomize(dir: string): string {
  for (const [program = '', ...args] of KUSTOMIZE) {
    try {
      return execFileSync(program, [...args, dir], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error('none of kustomize, kubectl and go is installed');
}

export function ofKind(resources: readonly Resource[], kind: string): Resource[] {
  return resources.filter((resource) => resource.kind === kind);
}

/** A service's Deployment with what the comparison needs. */
export interface KubernetesService {
  readonly appId: string;
  readonly command: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Values from config maps are resolved; those from secrets and fields stand for themselves. */
  readonly env: Readonly<Record<string, string>>;
  readonly containerPorts: readonly number[];
  /** How many there are at least. */
  readonly replicas: number;
  readonly resource: Resource;
}

export function servicesOf(resources: readonly Resource[]): KubernetesService[] {
  const scalers = ofKind(resources, 'HorizontalPodAutoscaler');
  return ofKind(resources, 'Deployment')
    .filter(({ spec }) => spec.template.metadata.annotations?.['dapr.io/enabled'] === 'true')
    .map((resource) => {
      const { metadata, spec } = resource.spec.template;
      const [container] = spec.containers;
      const scaler = scalers.find((one) => one.spec.scaleTargetRef.name === resource.metadata.name);
      return {
        appId: metadata.annotations['dapr.io/app-id'],
        command: [...(container.command ?? []), ...(container.args ?? [])],
        annotations: metadata.annotations,
        env: environmentOf(container, resources),
        containerPorts: (container.ports ?? []).map((port: { containerPort: number }) => port.containerPort),
        replicas: scaler?.spec.minReplicas ?? resource.spec.replicas,
        resource,
      };
    });
}

interface EnvEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: { name: string; key: string };
    readonly secretKeyRef?: { name: string; key: string };
  };
}

export function environmentOf(container: { env?: EnvEntry[] }, resources: readonly Resource[]): Record<string, string> {
  const maps = ofKind(resources, 'ConfigMap');
  return Object.fromEntries(
    (container.env ?? []).map(({ name, value, valueFrom }) => {
      const ref = valueFrom?.configMapKeyRef;
      if (ref === undefined) return [name, value ?? 'a-value-known-when-it-runs'];
      const found = maps.find((map) => map.metadata.name === ref.name)?.data?.[ref.key];
      if (found === undefined) throw new Error(`${name}: the config map ${ref.name} has no ${ref.key}`);
      return [name, found];
    }),
  );
}
