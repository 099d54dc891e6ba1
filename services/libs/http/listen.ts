import type { Server } from 'node:http';
import type { Express } from 'express';
import { endable, type Listening } from './ending.js';

/** Longer than a sidecar keeps an unused connection, so that it never sends into one that is being closed. */
const KEEP_ALIVE_MS = 120_000;

/** Serves the app to its sidecar. @throws when the address cannot be had */
export function listen(app: Express, { host, port }: { host: string; port: number }): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server: Server = app.listen(port, host, (error?: Error) => {
      if (error) reject(error);
      else resolve(listening);
    });
    const listening = toSidecar(server, app);
  });
}

/** How a server that its sidecar calls keeps connections, and ends. */
export function toSidecar(server: Server, app: Express): Listening {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return endable(server, app);
}
