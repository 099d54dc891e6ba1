import { createVerifier } from '#lib/auth';
import { readConfig } from '#lib/config';
import { Sidecar } from '#lib/dapr';
import { type Credentials, connectDatabase, secretName } from '#lib/database';
import { createLogger } from '#lib/logging';
import { startTracing } from '#lib/telemetry';
import { createPasswords } from './adapters/argon2.js';
import { createCipher } from './adapters/key-cipher.js';
import { createApp } from './app.js';
import { type Config, configSchema } from './config.js';
import type { KeyTimes } from './domain/signing-keys.js';
import { purgeExpired } from './repositories/session-repository.js';
import { describeKeys } from './usecases/administer.js';
import type { Context } from './usecases/context.js';
import { KeyRing } from './usecases/key-ring.js';

const SIDECAR_READY_MS = 60_000;
const MAINTAIN_INTERVAL_MS = 60_000;
/** Verifiers read the keys anew several times in it. */
const KEY_ANNOUNCE_MS = 60_000;
/** Beyond the end of the last token that a key has signed: clocks differ. */
const KEY_RETIRE_MARGIN_MS = 300_000;

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const logger = createLogger({ service: 'user', replica: config.PLAYBILL_REPLICA, level: config.PLAYBILL_LOG_LEVEL });
  const tracing = await startTracing({
    service: 'user',
    replica: config.PLAYBILL_REPLICA,
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
  const sidecar = new Sidecar({ httpPort: config.DAPR_HTTP_PORT, apiToken: config.DAPR_API_TOKEN });
  await sidecar.waitReady(SIDECAR_READY_MS);
  const secret = async (name: string) => (await sidecar.secret(name)).token!;
  const database = await connectDatabase({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: [],
    credentials: (await sidecar.secret(secretName('user'))) as unknown as Credentials,
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
  });
  const now = Date.now;
  const cipher = createCipher(await secret('user-key-encryption'));
  const keys = new KeyRing({ db: database.primary, cipher, times: keyTimes(config), now });
  await keys.maintain();
  const context: Context = { config, database, logger, passwords: await createPasswords(), keys, now };
  const verifier = createVerifier({ loadKeys: () => describeKeys(context) });
  const app = createApp({ context, verifier, opsKey: await secret('ops-key') });
  const server = app.listen(config.APP_PORT, config.APP_HOST, () =>
    logger.info({ port: config.APP_PORT }, 'user service is up'),
  );
  const timer = setInterval(() => void maintain(context), MAINTAIN_INTERVAL_MS);
  const stop = () => {
    clearInterval(timer);
    server.close(() => void Promise.all([database.close(), tracing.stop()]).finally(() => process.exit(0)));
    server.closeIdleConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function keyTimes(config: Config): KeyTimes {
  return {
    rotateAfterMs: config.USER_KEY_SECONDS * 1_000,
    announceMs: KEY_ANNOUNCE_MS,
    retireAfterMs: config.USER_ACCESS_TOKEN_SECONDS * 1_000 + KEY_RETIRE_MARGIN_MS,
  };
}

async function maintain(context: Context): Promise<void> {
  try {
    await context.keys.maintain();
    await purgeExpired(context.database.primary, context.now());
  } catch (error) {
    context.logger.warn({ err: error }, 'keys and sessions could not be tidied, trying again');
  }
}

await main();
