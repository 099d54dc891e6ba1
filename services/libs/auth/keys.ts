import { z } from 'zod';
import type { Sidecar } from '#lib/dapr';
import { SCOPES } from './principal.js';

const publicKey = z.object({
  kid: z.string().min(1),
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});

const client = z.object({
  clientId: z.string().min(1),
  /** Of its token, by `hashToken`. */
  tokenHash: z.string().length(64),
  scopes: z.array(z.enum(SCOPES)),
  /** RFC 3339; null for never. */
  expiresAt: z.string().nullable(),
});

/** What a service needs to verify tokens: a JWKS, with the clients that may call. There is no secret in it. */
export const keySetSchema = z.object({ keys: z.array(publicKey), clients: z.array(client) });

export type KeySet = z.infer<typeof keySetSchema>;
export type PublicKey = KeySet['keys'][number];
export type KnownClient = KeySet['clients'][number];

const LOAD_TIMEOUT_MS = 3_000;

/** Loads the key set from the user service by this app's sidecar. */
export function keysFrom(sidecar: Sidecar): () => Promise<KeySet> {
  return async () => {
    const response = await sidecar.invoke('user', 'internal/jwks', { timeoutMs: LOAD_TIMEOUT_MS });
    return keySetSchema.parse(response.json());
  };
}
