import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ROOT_DIR } from '../../../deploy/local/stack/paths.js';
import { composeInstances, readCompose } from './support/compose.js';
import { ofKind, renderOverlay, servicesOf } from './support/kubernetes.js';
import { entryOf, read } from './support/services.js';

const compose = readCompose();
const DEADLINE_MS = 60_000;

/** What the image holds of the compiled code, from its Dockerfile. */
const COPIED = [...read('Dockerfile').matchAll(/^COPY --from=build \/app\/(\S+)/gm)].map(([, path]) => path!);

const entries = new Set([
  ...Object.values(compose.services)
    .map(({ command }) => command ?? [])
    .filter((command) => command.some((word) => word.endsWith('.js')))
    .map(entryOf),
  ...servicesOf(renderOverlay('production')).map(({ command }) => entryOf(command)),
  ...ofKind(renderOverlay('production'), 'Job').map(({ spec }) => entryOf(spec.template.spec.containers[0].args)),
]);

test('every file that a container starts is there after the build, and in the image', () => {
  expect(entries.size).toBeGreaterThan(8);
  for (const entry of entries) {
    expect([entry, existsSync(join(ROOT_DIR, entry))]).toEqual([entry, true]);
    expect([entry, COPIED.some((path) => entry.startsWith(`${path}/`))]).toEqual([entry, true]);
  }
});

/** Stands for a sidecar that is not ready: whoever asks it has started and has accepted its settings. */
let sidecar: Server;
let asked: (name: string) => void = () => undefined;
beforeAll(async () => {
  sidecar = createServer((req, res) => {
    asked(req.url ?? '');
    res.writeHead(503).end();
  });
  await new Promise<void>((resolve) => sidecar.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => sidecar.close(resolve)));

const distinct = new Map(composeInstances(compose).map(({ app }) => [app.environment?.APP_ID ?? '', app]));

test.each([...distinct])('%s starts by its command with the environment of its container', async (_appId, app) => {
  const child = spawn(process.execPath, [...(app.command ?? [])], {
    cwd: ROOT_DIR,
    env: {
      PATH: process.env.PATH,
      ...app.environment,
      OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
      DAPR_HTTP_PORT: String((sidecar.address() as AddressInfo).port),
      DAPR_API_TOKEN: 'x'.repeat(32),
      APP_API_TOKEN: 'x'.repeat(32),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  try {
    const first = await new Promise<string>((resolve, reject) => {
      asked = resolve;
      child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${output}`)));
      setTimeout(() => reject(new Error(`it asked for nothing: ${output}`)), DEADLINE_MS).unref();
    });
    expect(first).toBe('/v1.0/healthz/outbound');
  } finally {
    child.removeAllListeners('exit');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
});
