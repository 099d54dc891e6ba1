import { z } from 'zod';
import type { Sidecar } from '#lib/dapr';
import type { FindAddresses } from '../../usecases/context.js';

const CALL_TIMEOUT_MS = 5_000;
const answer = z.object({ ok: z.literal(true), emails: z.array(z.object({ userId: z.string(), email: z.string() })) });

/** Asks the user service for addresses, all of them in one call. */
export function addressesBy(sidecar: Sidecar): FindAddresses {
  return async (creatorIds) => {
    const response = await sidecar.invoke('user', 'internal/emails', {
      method: 'POST',
      body: { userIds: creatorIds.map(String) },
      timeoutMs: CALL_TIMEOUT_MS,
    });
    const { emails } = answer.parse(response.json());
    return new Map(emails.map(({ userId, email }) => [BigInt(userId), email]));
  };
}
