import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerOf, Problem } from '#lib/http';

const SECOND_MS = 1_000;
const HEADER_BYTES_MAX = 16 * 1024;

export interface PublicServerOptions {
  readonly connectionsMax: number;
  /** How long a request's headers may take to arrive. */
  readonly headersTimeoutMs?: number;
  /** How often it is looked at who is late. */
  readonly checkIntervalMs?: number;
}

/** An HTTP server that no slow client can hold for long. */
export function createPublicServer(app: RequestListener, options: PublicServerOptions): Server {
  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs ?? 10 * SECOND_MS,
      requestTimeout: 30 * SECOND_MS,
      // Longer than the pauses of clients and proxies, so that it is they who close.
      keepAliveTimeout: 75 * SECOND_MS,
      connectionsCheckingInterval: options.checkIntervalMs ?? 2 * SECOND_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    app,
  );
  // Of silence in either direction; streams of events lift it for themselves.
  server.setTimeout(120 * SECOND_MS);
  server.maxConnections = options.connectionsMax;
  server.on('clientError', answerUnreadable);
  return server;
}

/** What cannot be read as HTTP never reaches the app: it is told so, and the connection ends. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const detail = DETAILS[error.code ?? ''] ?? 'This is not HTTP.';
  const { headers, body } = answerOf(new Problem('UNREADABLE', { detail }), '');
  const head = ['HTTP/1.1 400 Bad Request', `content-type: ${headers['content-type']}`, 'connection: close'];
  socket.end(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

const DETAILS: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'The request took too long to arrive.',
  HPE_HEADER_OVERFLOW: 'The headers are too large.',
};
