import { z } from 'zod';
import { serviceSettings } from '#lib/config';

const limit = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

/** Settings of the gateway, all from environment variables. Limits are for this process. */
export const configSchema = z.object({
  ...serviceSettings,
  /** The public address; only the local machine unless it says otherwise. */
  PLAYBILL_HOST: z.string().min(1).default('127.0.0.1'),
  /** Addresses of reverse proxies whose X-Forwarded-For is believed, separated by commas; none by default. */
  GATEWAY_TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((part) => part !== '')),
  /** Requests of one user or client in ten seconds. */
  GATEWAY_USER_REQUESTS: limit(500),
  /** Requests of one anonymous device in ten seconds. */
  GATEWAY_DEVICE_REQUESTS: limit(200),
  /** Requests from one address in ten seconds. */
  GATEWAY_ADDRESS_REQUESTS: limit(10_000),
  /** Sign-ups and logins of one address in ten seconds: each costs an argon2id. */
  GATEWAY_PASSWORD_REQUESTS: limit(200),
  /** Failed logins of one address in ten minutes. */
  GATEWAY_LOGIN_FAILURES: limit(100),
  /** When a route's answers take longer, in ms, it is asked less at once, and the rest is refused with 503. */
  GATEWAY_SLOW_MS: limit(1_000),
  /** The same of bulk calls, each of which brings up to 1,000 events. */
  GATEWAY_BULK_SLOW_MS: limit(1_000),
  /** Connections at once; what comes on top is closed at once. */
  GATEWAY_CONNECTIONS_MAX: limit(5_000),
});

export type Config = z.infer<typeof configSchema>;
