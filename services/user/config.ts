import { z } from 'zod';
import { databaseSettings, serviceSettings } from '#lib/config';

const seconds = (fallback: number) => z.coerce.number().int().min(1).default(fallback);
const DAY_SECONDS = 86_400;

/** Settings of the user service, all from environment variables. */
export const configSchema = z.object({
  ...serviceSettings,
  ...databaseSettings,
  /** How long an access token is good. */
  USER_ACCESS_TOKEN_SECONDS: seconds(900),
  /** From its issue; each refresh gives one that lives as long again. */
  USER_REFRESH_TOKEN_SECONDS: seconds(30 * DAY_SECONDS),
  /** A signing key is replaced when it is so old. */
  USER_KEY_SECONDS: seconds(30 * DAY_SECONDS),
  /** Wrong passwords for one account, known or not, in a window; then every login waits for its end. */
  USER_LOGIN_FAILURES_MAX: z.coerce.number().int().min(1).default(20),
  /** Length of that window. */
  USER_LOGIN_WINDOW_SECONDS: seconds(900),
});

export type Config = z.infer<typeof configSchema>;
