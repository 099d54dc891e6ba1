import type { z } from 'zod';
import type { ErrorCode } from '#lib/http';

/** Who may call: `anyone` may be signed in; `ingest` is a client token with that scope. */
export type Audience = 'anyone' | 'user' | 'operator' | 'ingest';

/** A body that the gateway only passes on; JSON ones have a schema. */
export type BodyType =
  | 'application/json'
  | 'application/x-ndjson'
  | 'application/pdf'
  | 'text/csv'
  | 'text/event-stream';

export interface Answer {
  readonly description: string;
  /** What the JSON body looks like; none for 204 and for bodies that are not JSON. */
  readonly body?: z.ZodType;
  /** Other types that the same content is given in, chosen by `Accept`. */
  readonly alsoAs?: readonly BodyType[];
}

/** One public call: what the gateway routes, the service validates and the OpenAPI document describes. */
export interface Route {
  readonly method: 'get' | 'post';
  /** With parameters in braces, e.g. `/v1/video/{videoId}`; a fixed segment wins over a parameter. */
  readonly path: `/v1/${string}`;
  /** The service that answers. */
  readonly appId: string;
  readonly auth: Audience;
  readonly summary: string;
  readonly request?: {
    readonly params?: z.ZodObject;
    readonly query?: z.ZodType;
    readonly body?: z.ZodType;
    /** Whether the call may come without a body. */
    readonly bodyOptional?: true;
    readonly bodyAlsoAs?: readonly BodyType[];
  };
  readonly responses: Readonly<Record<number, Answer>>;
  /** Codes that it refuses with, besides those that follow from `auth` and `request`. */
  readonly refusals?: readonly ErrorCode[];
  /** Largest body in bytes; {@link BODY_BYTES_MAX} unless given. */
  readonly bodyBytesMax?: number;
  /** How long the gateway waits for the answer's first byte, in ms; {@link ANSWER_TIMEOUT_MS} unless given. */
  readonly timeoutMs?: number;
  /** A token is not looked at, so that a client with an expired one can get another. */
  readonly ignoresToken?: true;
  /** An anonymous viewer may call, named by X-Device-UUID. */
  readonly takesDevice?: true;
  /** Passwords are guessed here: addresses have fewer tries. */
  readonly takesPassword?: true;
}

export const BODY_BYTES_MAX = 64 * 1024;
export const ANSWER_TIMEOUT_MS = 15_000;

/** Keeps the exact type of a route, so that services can take its schemas from it. */
export function defineRoute<const R extends Route>(route: R): R {
  return route;
}

/** The path as Express writes it: `/v1/video/:videoId`. */
export function expressPath({ path }: Pick<Route, 'path'>): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}
