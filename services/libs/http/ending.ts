import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';

/** What listens, and how it ends without anybody noticing. */
export interface Listening {
  /**
   * Goes on answering everything, but says that it ends: /readyz is 503, and every answer is the last one of its
   * connection, so that senders turn to another by themselves.
   */
  announceEnd(): void;
  /** Takes no new connections, answers what is being answered, and ends. */
  close(): Promise<void>;
  /** Cuts off what `close` still waits for. */
  cutOff(): void;
}

/** The setting of an Express app that /readyz looks at. */
export const ENDING = 'ending';

/**
 * Makes a server end by what it is doing, not by its connections: senders keep connections that are idle, and open some
 * in advance that have not carried anything yet. Node counts the latter as busy, and a connection that was busy when the
 * server was closed may be used again and again; either would hold the end for minutes.
 */
export function endable(server: Server, app: Express): Listening {
  const connections = new Map<Socket, Set<ServerResponse>>();
  let isEnding = false;
  let isClosed = false;
  server.on('connection', (socket: Socket) => {
    connections.set(socket, new Set());
    socket.once('close', () => connections.delete(socket));
  });
  // Before the app's own listener, which may answer at once.
  server.prependListener('request', (req, res: ServerResponse) => {
    const open = connections.get(req.socket);
    open?.add(res);
    if (isEnding) endConnectionAfter(res);
    res.once('close', () => {
      open?.delete(res);
      if (isClosed && open?.size === 0) req.socket.end(() => req.socket.destroy());
    });
  });
  return {
    announceEnd() {
      isEnding = true;
      app.enable(ENDING);
      for (const open of connections.values()) for (const res of open) endConnectionAfter(res);
    },
    close() {
      isClosed = true;
      return new Promise((resolve) => {
        server.close(() => resolve());
        for (const [socket, open] of connections) if (open.size === 0) socket.destroy();
      });
    },
    cutOff: () => server.closeAllConnections(),
  };
}

function endConnectionAfter(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('connection', 'close');
}
