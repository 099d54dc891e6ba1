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
  /** Requests in ten seconds: of one user or client, of one anonymous device, of one address. */
  GATEWAY_USER_REQUESTS: limit(500),
  GATEWAY_DEVICE_REQUESTS: limit(200),
  GATEWAY_ADDRESS_REQUESTS: limit(10_000),
  /** Sign-ups and logins of one address in ten seconds: each costs an argon2id. */
  GATEWAY_PASSWORD_REQUESTS: limit(200),
  /** Failed logins of one address in ten minutes. */
  GATEWAY_LOGIN_FAILURES: limit(100),
  GATEWAY_CONNECTIONS_MAX: limit(5_000),
});

export type Config = z.infer<typeof configSchema>;
