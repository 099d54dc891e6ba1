import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import request from 'supertest';
import { OutboxRelay, Sidecar, writeOutbox } from '#lib/dapr';
import { currentTraceId, inSpan, startTracing, type Tracing, traceparentOfRun, traceRequests } from '#lib/telemetry';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = `00-${TRACE_ID}-b7ad6b7169203331-01`;

/** Stands for a receiver of spans and for a sidecar: keeps what it was sent. */
let spans: { name: string; traceId: string; parentSpanId?: string }[];
let calls: { url: string; traceparent: string | undefined }[];
let server: Server;
let tracing: Tracing;
let port: number;

beforeAll(async () => {
  server = createServer((req, res) => {
    let body = '';
    req.on('data', (data) => (body += data));
    req.on('end', () => {
      if (req.url === '/v1/traces') spans.push(...JSON.parse(body).resourceSpans.flatMap(spansOf));
      else calls.push({ url: req.url ?? '', traceparent: req.headers.traceparent as string | undefined });
      res.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  tracing = await startTracing({ service: 'test', replica: 'test-1', endpoint: `http://127.0.0.1:${port}` });
  [spans, calls] = [[], []];
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function spansOf(resource: { scopeSpans: { spans: typeof spans }[] }) {
  return resource.scopeSpans.flatMap((scope) => scope.spans);
}

const sidecar = () => new Sidecar({ httpPort: port, apiToken: 'token' });

function appThat(work: () => Promise<void>) {
  const app = express();
  app.use(traceRequests({ begins: false }), express.json());
  app.post('/work/:id', async (_req, res) => {
    await work();
    res.json({ traceId: res.locals.traceId, current: currentTraceId() });
  });
  return app;
}

test("a call goes on with its caller's trace, through what is awaited and out to the sidecar", async () => {
  const app = appThat(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    await sidecar().invoke('other', 'v1/x', { timeoutMs: 5_000 });
  });
  const answer = await request(app).post('/work/1').set('traceparent', CALLER).send({ a: 1 });
  expect(answer.body).toEqual({ traceId: TRACE_ID, current: TRACE_ID });
  const passed = calls.at(-1)!.traceparent!;
  expect(passed).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
  expect(passed).not.toBe(CALLER);
});

test('what is published from the outbox belongs to the trace in which it was written', async () => {
  const rows: Record<string, unknown>[] = [];
  const table = {
    async query(sql: string, values: unknown[] = []) {
      if (sql.startsWith('INSERT')) {
        const [id, topic, payload, traceparent] = values;
        rows.push({ id, topic, payload, traceparent });
      }
      return sql.startsWith('SELECT') ? rows.splice(0) : [];
    },
  };
  const app = appThat(() => writeOutbox(table, 'x.outbox', { topic: 'run.progress', payload: { a: 1 } }));
  await request(app).post('/work/1').set('traceparent', CALLER).send({});
  const published = new Promise<string | undefined>((resolve) => {
    const relay = new OutboxRelay({
      transaction: (work) => work(table),
      table: 'x.outbox',
      publish: async () => {
        resolve(currentTraceId());
        void relay.stop();
      },
      onError: () => undefined,
    });
    relay.start();
  });
  expect(await published).toBe(TRACE_ID);
});

test('work of a run is in the trace with the id of the run, and an error is thrown on', async () => {
  const runId = '0192f0c1-2b3c-7d4e-8f50-a1b2c3d4e5f6';
  const parent = traceparentOfRun(runId);
  await expect(
    inSpan('slice', { parent }, async () => {
      expect(currentTraceId()).toBe('0192f0c12b3c7d4e8f50a1b2c3d4e5f6');
      throw new Error('of the work');
    }),
  ).rejects.toThrow('of the work');
  expect(currentTraceId()).toBeUndefined();
});

test('a malformed trace is not gone on with, and the public port begins one in its place', async () => {
  const app = express();
  app.use(traceRequests({ begins: true }));
  app.get('/', (_req, res) => void res.json({ traceparent: res.locals.traceparent }));
  const answer = await request(app).get('/').set('traceparent', '00-xyz-1-01');
  expect(answer.body.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
});

test('health checks are not traced', async () => {
  const app = express();
  app.use(traceRequests({ begins: false }));
  app.get('/healthz', (_req, res) => void res.json({ traceId: res.locals.traceId }));
  const answer = await request(app).get('/healthz').set('traceparent', CALLER);
  expect(answer.body).toEqual({ traceId: '' });
});

test('stopping sends the spans that are left, named by route and joined to their callers', async () => {
  await tracing.stop();
  const names = spans.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['POST /work/:id', 'slice', 'GET /']));
  expect(names).not.toContain('GET /healthz');
  const call = spans.find(({ name }) => name === 'POST /work/:id')!;
  expect(call).toMatchObject({ traceId: TRACE_ID, parentSpanId: 'b7ad6b7169203331' });
});
