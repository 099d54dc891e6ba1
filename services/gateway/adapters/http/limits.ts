import type { RequestHandler } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { nameOf, type Principal, principalOf } from '#lib/auth';
import type { Route } from '#lib/contract';
import { Problem } from '#lib/http';
import type { Config } from '../../config.js';

const WINDOW_SECONDS = 10;
const FAILURES_WINDOW_SECONDS = 600;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** How many requests are let through, by address, and by user, client or device. */
export interface Limits {
  /** Before anything else is done for a request. */
  readonly byAddress: RequestHandler;
  /** After the token was checked. */
  readonly byCaller: RequestHandler;
  /** Where passwords are taken. */
  readonly ofPasswords: RequestHandler;
}

/** Makes the limits of this process; they are not shared between several. */
export function createLimits(config: Config): Limits {
  const perWindow = (points: number) => new RateLimiterMemory({ points, duration: WINDOW_SECONDS });
  const addresses = perWindow(config.GATEWAY_ADDRESS_REQUESTS);
  const users = perWindow(config.GATEWAY_USER_REQUESTS);
  const devices = perWindow(config.GATEWAY_DEVICE_REQUESTS);
  const passwords = perWindow(config.GATEWAY_PASSWORD_REQUESTS);
  const failures = new RateLimiterMemory({ points: config.GATEWAY_LOGIN_FAILURES, duration: FAILURES_WINDOW_SECONDS });
  return {
    byAddress: async (req, _res, next) => {
      await consume(addresses, addressOf(req.ip), 'this address');
      next();
    },
    byCaller: async (req, res, next) => {
      const principal = principalOf(res);
      const device = req.get('x-device-uuid')?.toLowerCase() ?? '';
      if (principal.kind !== 'anonymous') await consume(users, nameOf(principal), describe(principal));
      else if (UUID.test(device)) await consume(devices, device, 'this device');
      next();
    },
    ofPasswords: async (req, res, next) => {
      const address = addressOf(req.ip);
      await consume(passwords, address, 'this address');
      const failed = await failures.get(address);
      if (failed !== null && failed.remainingPoints <= 0) throw tooMany('failed logins from this address', failed);
      res.once('finish', () => {
        if (res.statusCode === 401) void failures.consume(address).catch(() => undefined);
      });
      next();
    },
  };
}

/** What a route is limited by, after its token was checked. */
export function limitsOf(route: Route, limits: Limits): RequestHandler[] {
  return route.takesPassword === true ? [limits.ofPasswords] : [limits.byCaller];
}

async function consume(limiter: RateLimiterMemory, key: string, whose: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    if (error instanceof RateLimiterRes) throw tooMany(`requests of ${whose}`, error);
    throw error;
  }
}

function tooMany(what: string, { msBeforeNext }: RateLimiterRes): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1_000));
  return new Problem('TOO_MANY_REQUESTS', { detail: `Too many ${what}.`, retryAfterSeconds });
}

function describe(principal: Principal): string {
  return principal.kind === 'user' ? 'this user' : 'this client';
}

/** An IPv6 host has a whole /64 to call from, so that is what is counted. */
export function addressOf(ip: string | undefined): string {
  const address = (ip ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - rest.length;
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...rest].slice(0, 4).join(':');
}
