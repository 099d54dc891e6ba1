import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseKstDay } from '#domain';
import { BatchClient } from '../../../services/ops/adapters/batch-client.js';

const DAY = parseKstDay('2026-03-01');
const servers: Server[] = [];

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

async function listen(handler: Handler): Promise<number> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const port = await listen(() => undefined);
  await close(servers.pop()!);
  return port;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function answer(status: number, body: unknown, type = 'application/json'): Handler {
  return (_req, res) => void res.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}

const problem = (status: number, body: object) => answer(status, body, 'application/problem+json; charset=utf-8');
const clientOf = (...batchSidecarPorts: number[]) =>
  new BatchClient({ batchSidecarPorts, daprApiToken: 'secret' }, async () => 'operator');

afterEach(async () => {
  await Promise.all(servers.splice(0).map(close));
});

describe('the batch client', () => {
  test("calls the service by its sidecar, with the sidecar's token and an operator's", async () => {
    const seen: unknown[] = [];
    const port = await listen((req, res) => {
      seen.push([req.method, req.url, req.headers['dapr-api-token'], req.headers.authorization]);
      answer(202, { runId: 'r1' })(req, res);
    });
    expect(await clientOf(port).requestRun({ date: DAY, job: 'daily' })).toEqual({ kind: 'accepted', runId: 'r1' });
    expect(seen).toEqual([['POST', '/v1.0/invoke/batch/method/v1/ops/runs', 'secret', 'Bearer operator']]);
  });

  test('asks the other sidecar when one is gone, and stays with it', async () => {
    let calls = 0;
    const alive = await listen((req, res) => {
      calls += 1;
      answer(200, { runId: 'r1', state: 'completed' })(req, res);
    });
    const client = clientOf(await closedPort(), alive);
    expect(await client.readRun('r1')).toMatchObject({ runId: 'r1' });
    expect(await client.readRun('r1')).toMatchObject({ runId: 'r1' });
    expect(calls).toBe(2);
  });

  test('asks the other sidecar when one cannot reach the service', async () => {
    const sick = await listen(
      answer(500, { errorCode: 'ERR_DIRECT_INVOKE', message: 'app is not in a healthy state' }),
    );
    const well = await listen(answer(200, { runId: 'r1' }));
    expect(await clientOf(sick, well).readRun('r1')).toEqual({ runId: 'r1' });
  });

  test('tries again while the service is not ready', async () => {
    let calls = 0;
    const port = await listen((req, res) => {
      calls += 1;
      const handler = calls < 3 ? problem(503, { code: 'UNAVAILABLE', detail: 'wait' }) : answer(200, { runId: 'r1' });
      handler(req, res);
    });
    expect(await clientOf(port).readRun('r1')).toEqual({ runId: 'r1' });
    expect(calls).toBe(3);
  });

  test('joins the run that a day has already', async () => {
    const port = await listen(problem(409, { code: 'RUN_ACTIVE', detail: 'running already', runId: 'r9' }));
    expect(await clientOf(port).requestRun({ date: DAY, job: 'daily' })).toEqual({ kind: 'joined', runId: 'r9' });
  });

  test('gives the finished run of a day that is unchanged', async () => {
    const port = await listen(answer(200, { runId: 'r1', state: 'completed' }));
    expect(await clientOf(port).requestRun({ date: DAY, job: 'daily' })).toEqual({
      kind: 'unchanged',
      run: { runId: 'r1', state: 'completed' },
    });
  });

  test.each([
    [409, 'SETTLEMENT_GAP', '2026-03-01 cannot be settled before 2026-02-27, which is not.'],
    [422, 'DAY_NOT_OVER', '2026-03-01 is not over yet.'],
    [500, 'INTERNAL', 'Something went wrong on our side'],
  ])('fails with the code and detail of a refusal: %i %s', async (status, code, detail) => {
    const port = await listen(problem(status, { code, detail }));
    const request = clientOf(port).requestRun({ date: DAY, job: 'daily' });
    await expect(request).rejects.toMatchObject({ code, message: detail });
  });
});
