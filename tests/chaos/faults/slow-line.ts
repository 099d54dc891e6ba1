import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../../deploy/local/stack/index.js';

/** A line to a server that can be made slow: what is sent over it arrives that much later, in both directions. */
export class SlowLine {
  delayMs = 0;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** Where its near end listens. */
    readonly nearEnd: Endpoint,
  ) {}

  /** Lays a line from a port of this machine to the server. */
  static async open(farEnd: Endpoint, port: number): Promise<SlowLine> {
    const server = createServer();
    const line = new SlowLine(server, { host: '127.0.0.1', port });
    server.on('connection', (near) => line.#join(near, createConnection(farEnd)));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return line;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  #join(near: Socket, far: Socket): void {
    this.#carry(near, far);
    this.#carry(far, near);
  }

  /** Keeps the order of what it carries, also while the delay changes. */
  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    let last = Promise.resolve();
    const after = (work: () => void) => {
      const due = this.delayMs === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, this.delayMs));
      last = last.then(() => due).then(work);
    };
    from.on('data', (data) => after(() => void to.write(data)));
    from.on('end', () => after(() => void to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      after(() => void to.destroy());
    });
  }
}
