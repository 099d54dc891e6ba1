import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stack } from '../../../deploy/local/stack/index.js';

/** Where test files reach the supervisor. */
export interface Control {
  readonly url: string;
  readonly token: string;
}

export interface ControlServer {
  readonly control: Control;
  close(): Promise<void>;
}

/** What a test may ask of the supervisor: `{command, name?, …}` in, `{value}` or `{error}` out. */
export interface ControlRequest {
  readonly command: keyof typeof COMMANDS;
  readonly name?: string;
  readonly signal?: NodeJS.Signals;
  readonly on?: boolean;
  readonly deadlineMs?: number;
}

const nameOf = ({ name }: ControlRequest) => name ?? '';

const COMMANDS = {
  kill: (stack: Stack, request: ControlRequest) => stack.kill(nameOf(request), request.signal),
  pause: async (stack: Stack, request: ControlRequest) => stack.pause(nameOf(request)),
  resume: async (stack: Stack, request: ControlRequest) => stack.resume(nameOf(request)),
  restart: (stack: Stack, request: ControlRequest) => stack.restart(nameOf(request)),
  processNames: async (stack: Stack) => stack.processNames(),
  isRunning: async (stack: Stack, request: ControlRequest) => stack.isRunning(nameOf(request)),
  pidOf: async (stack: Stack, request: ControlRequest) => stack.pidOf(nameOf(request)) ?? null,
  setAutoRestart: async (stack: Stack, request: ControlRequest) =>
    stack.setAutoRestart(nameOf(request), request.on === true),
  addReplica: async (stack: Stack, request: ControlRequest) => (await stack.addReplica(nameOf(request))).name,
  removeReplica: (stack: Stack, request: ControlRequest) => stack.removeReplica(nameOf(request)),
  waitHealthy: (stack: Stack, request: ControlRequest) => stack.waitHealthy(request.deadlineMs),
};

/** Lets test files, which run in processes or contexts of their own, steer the stack of the global set-up. */
export async function startControlServer(stack: Stack): Promise<ControlServer> {
  const token = randomBytes(24).toString('base64url');
  const server = createServer(async (req, res) => {
    const answer = (status: number, body: unknown) => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (req.headers.authorization !== `Bearer ${token}`) return answer(401, { error: 'wrong token' });
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const request = JSON.parse(Buffer.concat(chunks).toString()) as ControlRequest;
      answer(200, { value: (await COMMANDS[request.command](stack, request)) ?? null });
    } catch (error) {
      answer(500, { error: (error as Error).message });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { control: { url: `http://127.0.0.1:${port}`, token }, close: () => closeServer(server) };
}

/** Ends a server of a test's, whatever connections it has. */
export function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
