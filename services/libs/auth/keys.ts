import { setTimeout as pause } from 'node:timers/promises';
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
const AGAIN_AFTER_MS = 150;

/**
 * Loads the key set from the user service by this app's sidecar. Sidecars never repeat a call to that service; this one
 * changes nothing, so it is repeated here: a replica that ends, as in an upgrade, may have been the one that was asked.
 */
export function keysFrom(sidecar: Sidecar): () => Promise<KeySet> {
  return async () => {
    const giveUpAt = performance.now() + LOAD_TIMEOUT_MS;
    for (;;) {
      const leftMs = giveUpAt - performance.now();
      try {
        const response = await sidecar.invoke('user', 'internal/jwks', { timeoutMs: Math.max(1, Math.round(leftMs)) });
        return keySetSchema.parse(await response.json());
      } catch (error) {
        if (giveUpAt - performance.now() <= AGAIN_AFTER_MS) throw error;
        await pause(AGAIN_AFTER_MS);
      }
    }
  };
}
