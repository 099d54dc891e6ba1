import { randomUUID } from 'node:crypto';
import { stack } from './stack.js';

export interface GatewayCall {
  readonly method?: 'GET' | 'POST';
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly token?: string;
  readonly device?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the call
  readonly body: any;
}

const CALL_TIMEOUT_MS = 20_000;

/** One call to the public port, as a client makes it. A body makes it a POST. */
export async function callGateway(path: string, call: GatewayCall = {}): Promise<GatewayAnswer> {
  const { body, token, device, headers } = call;
  const response = await fetch(`${gatewayUrl()}${path}`, {
    method: call.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(device === undefined ? {} : { 'x-device-uuid': device }),
      ...headers,
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

export function gatewayUrl(): string {
  const { gatewayUrl: url } = stack().endpoints;
  if (url === undefined) throw new Error('the stack has no gateway');
  return url;
}

export interface SignedIn {
  readonly userId: string;
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A new account that has signed in, through the gateway. */
export async function signUp(): Promise<SignedIn> {
  const account = { email: `${randomUUID()}@example.com`, password: 'correct horse battery' };
  const { body: user } = await callGateway('/v1/user/signup', { body: account });
  return { ...account, userId: user.userId, ...(await logIn(account)) };
}

/** Signs in. @throws when it is refused */
export async function logIn(account: { email: string; password: string }) {
  const { status, body } = await callGateway('/v1/user/login', { body: account });
  if (status !== 200) throw new Error(`login: ${status} ${JSON.stringify(body)}`);
  return body as Pick<SignedIn, 'accessToken' | 'refreshToken'>;
}
