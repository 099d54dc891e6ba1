import type { Server } from 'node:http';
import type { Express } from 'express';

/** Longer than a sidecar keeps an unused connection, so that it never sends into one that is being closed. */
const KEEP_ALIVE_MS = 120_000;

export interface Listening {
  /** Takes no new connections, answers what is being answered, and ends. */
  close(): Promise<void>;
}

/** Serves the app to its sidecar. @throws when the address cannot be had */
export function listen(app: Express, { host, port }: { host: string; port: number }): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server: Server = app.listen(port, host, (error?: Error) => {
      if (error) reject(error);
      else resolve({ close: () => close(server) });
    });
    server.keepAliveTimeout = KEEP_ALIVE_MS;
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
