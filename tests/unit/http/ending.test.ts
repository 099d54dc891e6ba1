import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Express, Response } from 'express';
import { createServiceApp, endable, type Listening } from '../../../services/libs/http/index.js';
import { createLogger } from '../../../services/libs/logging/index.js';

const TOKEN = 'x'.repeat(32);

let server: Server;
let listening: Listening;
/** The calls to /slow, in their order. */
let slow: Response[];
let onSlow: () => void;
const agent = new Agent({ keepAlive: true });

beforeEach(async () => {
  const { app, finish } = createServiceApp({
    logger: createLogger({ service: 'test', replica: 'test', level: 'silent' }),
    appApiToken: TOKEN,
    ready: async () => undefined,
  });
  slow = [];
  addRoutes(app);
  finish();
  server = createServer(app);
  server.keepAliveTimeout = 120_000;
  listening = endable(server, app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});
afterAll(() => agent.destroy());

function addRoutes(app: Express): void {
  app.get('/quick', (_req, res) => void res.json({}));
  app.get('/slow', (_req, res) => {
    slow.push(res);
    onSlow();
  });
  app.get('/begun', (_req, res) => {
    res.write('begun');
    slow.push(res);
  });
}

const portOf = () => (server.address() as AddressInfo).port;

async function call(path: string): Promise<IncomingMessage> {
  const headers = { 'dapr-api-token': TOKEN };
  const asked = request({ host: '127.0.0.1', port: portOf(), path, agent, headers });
  asked.end();
  const [message] = (await once(asked, 'response')) as [IncomingMessage];
  return message;
}

async function read(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += String(chunk);
  return text;
}

async function connected(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: portOf() });
  await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
  return socket;
}

test('neither a connection that nothing was sent on nor one that is kept holds up the end', async () => {
  await read(await call('/quick'));
  const unused = await connected();
  listening.announceEnd();
  await listening.close();
  unused.destroy();
});

test('a call in flight is answered, as the last one of its connection', async () => {
  const isThere = new Promise<void>((resolve) => {
    onSlow = resolve;
  });
  const answer = call('/slow');
  await isThere;
  listening.announceEnd();
  const end = listening.close();
  slow[0]!.json({ answered: true });
  const message = await answer;
  expect(message.headers.connection).toBe('close');
  expect(JSON.parse(await read(message))).toEqual({ answered: true });
  await end;
});

test('an answer that has begun comes to its end, and its connection with it', async () => {
  const message = await call('/begun');
  listening.announceEnd();
  const end = listening.close();
  slow[0]!.end(' and ended');
  expect(await read(message)).toBe('begun and ended');
  await end;
});

test('until it is closed it answers everything, and says that it is not ready', async () => {
  expect((await read(await call('/readyz'))).length).toBeGreaterThan(0);
  listening.announceEnd();
  const ready = await call('/readyz');
  expect(ready.statusCode).toBe(503);
  expect(await read(ready)).toContain('ending');
  const message = await call('/quick');
  expect([message.statusCode, message.headers.connection]).toEqual([200, 'close']);
  await read(message);
});
