import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT_DIR, type StateLayout } from '../../../deploy/local/stack/paths.js';
import { prepareSecrets } from '../../../deploy/local/stack/secrets.js';
import { readSecretsDir, readSecretsFile } from '../../../services/libs/database/migrate.js';
import { readCompose } from './support/compose.js';
import { ofKind, renderOverlay } from './support/kubernetes.js';
import { read } from './support/services.js';

const DIR_OF_COMPOSE = 'deploy/compose/.secrets';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'playbill-secrets-'));
  make();
});
afterAll(() => rmSync(dir, { recursive: true }));

function make(): void {
  execFileSync(process.execPath, [join(ROOT_DIR, 'deploy', 'compose', 'secrets.mjs'), dir]);
}

const text = (...path: string[]) => readFileSync(join(dir, ...path), 'utf8');
const store = () => JSON.parse(text('secrets.json')) as Record<string, Record<string, string>>;

test('the containers have every secret that the local stack has, with the same keys', async () => {
  const layout = { secretsFile: join(dir, 'local.json') } as StateLayout;
  const local = await prepareSecrets(layout, { primary: 'h:1', redis: 'h:2' });
  const made = store();
  const keysOf = (secrets: typeof made, name: string) => [name, Object.keys(secrets[name] ?? {}).sort()];
  for (const name of Object.keys(local)) expect(keysOf(made, name)).toEqual(keysOf(local, name));
});

test('a second run changes nothing', () => {
  const before = [text('secrets.json'), text('certificates', 'issuer.crt'), text('sidecars.env')];
  make();
  expect([text('secrets.json'), text('certificates', 'issuer.crt'), text('sidecars.env')]).toEqual(before);
});

test('nobody but the owner gets into the folder, which git ignores', () => {
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(read('.gitignore')).toContain(`/${DIR_OF_COMPOSE}/`);
});

test('the issuer of certificates is signed by the root that sidecars trust, whose key is gone', () => {
  const root = new X509Certificate(text('certificates', 'ca.crt'));
  const issuer = new X509Certificate(text('certificates', 'issuer.crt'));
  expect([root.ca, issuer.ca, issuer.verify(root.publicKey)]).toEqual([true, true, true]);
  const [, anchors] = /^DAPR_TRUST_ANCHORS="(.*)"\n$/.exec(text('sidecars.env'))!;
  expect(new X509Certificate(anchors!.replaceAll('\\n', '\n')).fingerprint256).toBe(root.fingerprint256);
  expect(() => text('certificates', 'ca.key')).toThrow('ENOENT');
});

test('every file that compose mounts from the folder is made', () => {
  const { services, secrets } = readCompose();
  const mounted = [
    ...Object.values(secrets).map(({ file }) => file),
    ...Object.values(services).flatMap((service) => service.env_file ?? []),
    ...Object.values(services).flatMap((service) => (service.volumes ?? []).map((one) => one.split(':')[0]!)),
  ].map((path) => path.replace(/^\.\//, ''));
  const ours = mounted.filter((path) => path.startsWith(DIR_OF_COMPOSE));
  expect(ours.length).toBeGreaterThan(4);
  for (const path of ours) expect(() => statSync(join(dir, path.slice(DIR_OF_COMPOSE.length)))).not.toThrow();
});

test('the development cluster gets every secret that its manifests name', () => {
  const list = JSON.parse(
    execFileSync(process.execPath, [join(ROOT_DIR, 'deploy', 'kubernetes', 'secrets.mjs'), join(dir, 'secrets.json')], {
      encoding: 'utf8',
    }),
  );
  const made = new Map<string, string[]>(
    list.items.map((one: { metadata: { name: string }; stringData: object }) => [
      one.metadata.name,
      Object.keys(one.stringData),
    ]),
  );
  const wanted = JSON.stringify(renderOverlay('dev')).matchAll(
    /"secretKeyRef":\{(?:"key":"([\w-]+)","name":"([\w-]+)"|"name":"([\w-]+)","key":"([\w-]+)")\}/g,
  );
  const refs = [...wanted].map(([, key, name, name2, key2]) => [name ?? name2, key ?? key2] as const);
  expect(refs.length).toBeGreaterThan(20);
  for (const [name, key] of refs) expect([name, made.get(name!)]).toEqual([name, expect.arrayContaining([key])]);
  for (const role of ofKind(renderOverlay('dev'), 'Role')) {
    for (const name of role.rules[0].resourceNames) expect([...made.keys()]).toContain(name);
  }
});

test('the migration reads the same accounts from a file and from a folder as Kubernetes mounts it', async () => {
  const [job] = ofKind(renderOverlay('production'), 'Job');
  const volume = job!.spec.template.spec.volumes.find((one: { name: string }) => one.name === 'secrets');
  const { mkdir, writeFile } = await import('node:fs/promises');
  const mount = join(dir, 'mount');
  for (const { secret } of volume.projected.sources) {
    for (const { key, path } of secret.items) {
      await mkdir(join(mount, path, '..'), { recursive: true });
      await writeFile(join(mount, path), store()[secret.name]![key]!);
    }
  }
  expect(await readSecretsDir(mount)).toEqual(await readSecretsFile(join(dir, 'secrets.json')));
});
