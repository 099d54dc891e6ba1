import { z } from 'zod';
import { id } from './fields.js';
import { defineRoute } from './route.js';

const EMAIL_LENGTH_MAX = 254;
const PASSWORD_BYTES_MIN = 8;
const PASSWORD_BYTES_MAX = 72;

/** In lower case, without spaces around it: one mailbox is one account. */
const email = z
  .string()
  .max(EMAIL_LENGTH_MAX)
  .meta({ format: 'email' })
  .transform((text) => text.trim().normalize('NFKC').toLowerCase())
  .pipe(z.email('Must be an email address.').max(EMAIL_LENGTH_MAX));

const password = z
  .string()
  .meta({ description: `${PASSWORD_BYTES_MIN} to ${PASSWORD_BYTES_MAX} bytes of UTF-8`, format: 'password' })
  .refine((text) => {
    const bytes = Buffer.byteLength(text);
    return bytes >= PASSWORD_BYTES_MIN && bytes <= PASSWORD_BYTES_MAX;
  }, `Must be ${PASSWORD_BYTES_MIN} to ${PASSWORD_BYTES_MAX} bytes of UTF-8.`);

/** An email address and a password that may belong to an account. */
export const credentials = z.object({ email, password });

const tokens = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  tokenType: z.literal('Bearer'),
  expiresIn: z.int().min(1).meta({ description: 'seconds that the access token is valid' }),
});

export const signup = defineRoute({
  method: 'post',
  path: '/v1/user/signup',
  appId: 'user',
  auth: 'anyone',
  ignoresToken: true,
  takesPassword: true,
  summary: 'Make an account',
  request: { body: credentials },
  responses: { 201: { description: 'the account was made', body: z.object({ userId: id, email: z.string() }) } },
  refusals: ['EMAIL_TAKEN'],
});

export const login = defineRoute({
  method: 'post',
  path: '/v1/user/login',
  appId: 'user',
  auth: 'anyone',
  ignoresToken: true,
  takesPassword: true,
  summary: 'Get tokens for email and password',
  // A password that cannot be right is refused as a wrong one is.
  request: {
    body: z.object({
      email: z.string().max(1_000).meta({ format: 'email' }),
      password: z.string().max(1_000).meta({ format: 'password' }),
    }),
  },
  responses: { 200: { description: 'tokens', body: tokens } },
  refusals: ['LOGIN_FAILED'],
});

export const refresh = defineRoute({
  method: 'post',
  path: '/v1/user/refresh',
  appId: 'user',
  auth: 'anyone',
  ignoresToken: true,
  summary: 'Exchange a refresh token, once, for new tokens',
  request: { body: z.object({ refreshToken: z.string().max(1_000) }) },
  responses: { 200: { description: 'new tokens; the refresh token given is spent', body: tokens } },
  refusals: ['REFRESH_REFUSED'],
});

export const logout = defineRoute({
  method: 'post',
  path: '/v1/user/logout',
  appId: 'user',
  auth: 'user',
  summary: 'End this sign-in: its refresh tokens are worth nothing any more',
  responses: { 204: { description: 'signed out' } },
});

export const userRoutes = [signup, login, refresh, logout];
