import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';
import { read } from './support/services.js';

/** Metrics that the services make, from their source. */
const MADE = new Set(
  readdirSync(join(ROOT_DIR, 'services'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(ROOT_DIR, 'services', file), 'utf8').matchAll(/\bname: '(playbill_\w+)'/g),
    ])
    .map(([, name]) => name!),
);
const DASHBOARDS = readdirSync(join(ROOT_DIR, 'deploy', 'compose', 'grafana', 'dashboards'));
const rules: { alert: string; expr: string }[] = parse(
  read('deploy', 'compose', 'prometheus', 'alerts.yml'),
).groups.flatMap((group: { rules: unknown[] }) => group.rules);

function panelsOf(file: string): { title: string; datasource: { uid: string }; targets: { expr: string }[] }[] {
  return JSON.parse(read('deploy', 'compose', 'grafana', 'dashboards', file)).panels;
}

/** Names of our metrics in an expression; those of a histogram's series are the histogram's. */
function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\bplaybill_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));
}

const exprsOfDashboards = DASHBOARDS.flatMap(panelsOf).flatMap(({ targets }) => targets.map(({ expr }) => expr));

test('every metric that a dashboard or an alert asks for is made by a service', () => {
  expect(MADE.size).toBeGreaterThan(12);
  const asked = [...exprsOfDashboards, ...rules.map(({ expr }) => expr)].flatMap(metricsIn);
  expect(asked.length).toBeGreaterThan(30);
  expect(asked.filter((name) => !MADE.has(name))).toEqual([]);
});

test('every metric is on a dashboard', () => {
  const shown = new Set(exprsOfDashboards.flatMap(metricsIn));
  expect([...MADE].filter((name) => !shown.has(name))).toEqual([]);
});

test('every alert has a line in the runbook, and the runbook explains no other', () => {
  const [, table = ''] = read('docs', 'operations.md').split('## Alerts');
  const explained = [...table.split('\n## ')[0]!.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(explained.sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test('dashboards take their data from the sources that are provisioned', () => {
  const path = ['deploy', 'compose', 'grafana', 'provisioning', 'datasources', 'prometheus.yaml'];
  const sources: { uid: string }[] = parse(read(...path)).datasources;
  for (const { datasource } of DASHBOARDS.flatMap(panelsOf))
    expect(sources.map(({ uid }) => uid)).toContain(datasource.uid);
});
