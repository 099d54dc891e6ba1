import type { Endpoint } from './endpoints.js';
import { SetupError } from './errors.js';
import type { Ports } from './ports.js';
import type { Credentials } from './secrets.js';

/** Servers that the stack uses instead of its own, when the environment names them. */
export interface ServerSettings {
  readonly database: {
    readonly isPrivate: boolean;
    readonly primary: Endpoint;
    readonly replicas: readonly Endpoint[];
    readonly admin?: Credentials;
  };
  readonly redis: { readonly isPrivate: boolean; readonly endpoint: Endpoint; readonly password?: string };
  /** The mail server; a private one is the development inbox, with its web page. */
  readonly mail: { readonly smtp: Endpoint; readonly inbox?: Endpoint; readonly account?: Credentials };
}

const LOOPBACK = '127.0.0.1';

/**
 * Reads PLAYBILL_DB_PRIMARY, PLAYBILL_DB_REPLICAS, PLAYBILL_DB_ADMIN_USER, PLAYBILL_DB_ADMIN_PASSWORD,
 * PLAYBILL_REDIS, PLAYBILL_REDIS_PASSWORD, PLAYBILL_SMTP, PLAYBILL_SMTP_USER and PLAYBILL_SMTP_PASSWORD.
 * @throws SetupError for a variable that is malformed or lacks its companion
 */
export function readServerSettings(ports: Ports, env: NodeJS.ProcessEnv): ServerSettings {
  return { database: databaseSettings(ports, env), redis: redisSettings(ports, env), mail: mailSettings(ports, env) };
}

function databaseSettings(ports: Ports, env: NodeJS.ProcessEnv): ServerSettings['database'] {
  if (!env.PLAYBILL_DB_PRIMARY) {
    return {
      isPrivate: true,
      primary: { host: LOOPBACK, port: ports['mariadb-primary'] },
      replicas: [ports['mariadb-replica-1'], ports['mariadb-replica-2']].map((port) => ({ host: LOOPBACK, port })),
    };
  }
  const { PLAYBILL_DB_ADMIN_USER: username, PLAYBILL_DB_ADMIN_PASSWORD: password } = env;
  if (!username || !password) {
    throw new SetupError(
      'PLAYBILL_DB_PRIMARY names a database server, but not who may set it up',
      'set PLAYBILL_DB_ADMIN_USER and PLAYBILL_DB_ADMIN_PASSWORD to an account that may create schemas and accounts',
    );
  }
  const replicas = (env.PLAYBILL_DB_REPLICAS ?? '').split(',').filter((text) => text !== '');
  return {
    isPrivate: false,
    primary: endpointFrom('PLAYBILL_DB_PRIMARY', env.PLAYBILL_DB_PRIMARY),
    replicas: replicas.map((text) => endpointFrom('PLAYBILL_DB_REPLICAS', text)),
    admin: { username, password },
  };
}

function redisSettings(ports: Ports, env: NodeJS.ProcessEnv): ServerSettings['redis'] {
  if (!env.PLAYBILL_REDIS) return { isPrivate: true, endpoint: { host: LOOPBACK, port: ports.redis } };
  const endpoint = endpointFrom('PLAYBILL_REDIS', env.PLAYBILL_REDIS);
  return { isPrivate: false, endpoint, password: env.PLAYBILL_REDIS_PASSWORD ?? '' };
}

function mailSettings(ports: Ports, env: NodeJS.ProcessEnv): ServerSettings['mail'] {
  if (!env.PLAYBILL_SMTP) {
    const at = (port: number) => ({ host: LOOPBACK, port });
    return { smtp: at(ports['inbox-smtp']), inbox: at(ports['inbox-web']) };
  }
  const { PLAYBILL_SMTP_USER: username, PLAYBILL_SMTP_PASSWORD: password = '' } = env;
  const smtp = endpointFrom('PLAYBILL_SMTP', env.PLAYBILL_SMTP);
  return { smtp, ...(username ? { account: { username, password } } : {}) };
}

function endpointFrom(variable: string, text: string): Endpoint {
  const match = /^([^\s:,]+):(\d{1,5})$/.exec(text.trim());
  if (match === null) throw new SetupError(`${variable}=${text} is not an endpoint`, 'write host:port');
  return { host: match[1]!, port: Number(match[2]) };
}
