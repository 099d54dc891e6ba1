// Prints the Kubernetes secrets of the development cluster (overlays/dev), made from those of deploy/compose/secrets.mjs:
//
//   node deploy/compose/secrets.mjs && node deploy/kubernetes/secrets.mjs | kubectl apply -f -
//
// For production, the same names and keys come from your own secret manager.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAMESPACE = 'playbill';
const file =
  process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..', 'compose', '.secrets', 'secrets.json');
const { grafana: _grafana, ...secrets } = JSON.parse(readFileSync(file, 'utf8'));
// A single server, whose root brings the schemas up to date.
secrets['mysql-admin'] = secrets['mysql-root'];

const items = Object.entries(secrets).map(([name, values]) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: NAMESPACE, labels: { 'app.kubernetes.io/part-of': 'playbill' } },
  type: 'Opaque',
  stringData: values,
}));
console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2));
