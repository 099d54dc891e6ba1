import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import express from 'express';
import { endable, type Listening } from '../../../services/libs/http/index.js';
import { createLogger } from '../../../services/libs/logging/index.js';
import { end } from '../../../services/libs/service/ending.js';

const logger = createLogger({ service: 'test', replica: 'test', level: 'silent' });
const portOf = (server: Server | HttpServer) => (server.address() as AddressInfo).port;

/** What stands in for the sidecar's port. */
let sidecar: Server;
let service: HttpServer;
let servicePort: number;
let listening: Listening;

beforeEach(async () => {
  const app = express();
  app.get('/', (_req, res) => void res.json({}));
  service = createHttpServer(app);
  listening = endable(service, app);
  sidecar = createServer((socket) => socket.end());
  for (const server of [sidecar, service]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  servicePort = portOf(service);
});
afterEach(() => {
  sidecar.close();
  service.close();
});

const isAnswered = () =>
  fetch(`http://127.0.0.1:${servicePort}/`).then(
    ({ ok }) => ok,
    () => false,
  );

test('calls are taken while the sidecar is there, and work is handed back meanwhile; then everything ends', async () => {
  const steps: string[] = [];
  let handedBack: () => void = () => undefined;
  const isHandedBack = new Promise<void>((resolve) => {
    handedBack = resolve;
  });
  const ended = end(
    {
      server: listening,
      linger: 'until the sidecar ends',
      handBack: async () => {
        steps.push('hand back');
        handedBack();
      },
      release: async () => void steps.push(`release, ${(await isAnswered()) ? 'and calls are taken' : 'closed'}`),
    },
    { sidecarPort: portOf(sidecar), logger },
  );
  await isHandedBack;
  // Seen by the look at the sidecar's port, as often as it takes.
  for (let looks = 0; looks < 3; looks++) await once(sidecar, 'connection');
  expect(await isAnswered()).toBe(true);
  steps.push('the sidecar ends');
  sidecar.close();
  expect(await ended).toBe(true);
  expect(steps).toEqual(['hand back', 'the sidecar ends', 'release, closed']);
});

test('a step that fails is told by the end, and holds up none of the others', async () => {
  const sidecarPort = portOf(sidecar);
  sidecar.close();
  const steps: string[] = [];
  const ending = {
    server: listening,
    linger: 'until the sidecar ends',
    handBack: () => Promise.reject(new Error('the database is away')),
    release: async () => void steps.push('release'),
  } as const;
  expect(await end(ending, { sidecarPort, logger })).toBe(false);
  expect([steps, await isAnswered()]).toEqual([['release'], false]);
});
