import { createVerifier } from '#lib/auth';
import { readConfig } from '#lib/config';
import { connectDatabase, readCredentials } from '#lib/database';
import { listen } from '#lib/http';
import { beginService } from '#lib/service';
import { createPasswords } from './adapters/argon2.js';
import { createCipher } from './adapters/key-cipher.js';
import { createApp } from './app.js';
import { type Config, configSchema } from './config.js';
import type { KeyTimes } from './domain/signing-keys.js';
import { purgeExpired } from './repositories/session-repository.js';
import { describeKeys } from './usecases/administer.js';
import type { Context } from './usecases/context.js';
import { KeyRing } from './usecases/key-ring.js';

const MAINTAIN_INTERVAL_MS = 60_000;
/** Verifiers read the keys anew several times in it. */
const KEY_ANNOUNCE_MS = 60_000;
/** Beyond the end of the last token that a key has signed: clocks differ. */
const KEY_RETIRE_MARGIN_MS = 300_000;

async function main(): Promise<void> {
  const config = readConfig(configSchema);
  const { logger, sidecar, onStop } = await beginService('user', config);
  const secret = async (name: string) => (await sidecar.secret(name)).token!;
  const database = await connectDatabase({
    primary: config.PLAYBILL_DB_PRIMARY,
    replicas: [],
    credentials: await readCredentials(sidecar, 'user'),
    poolSize: config.PLAYBILL_DB_POOL_SIZE,
  });
  const now = Date.now;
  const cipher = createCipher(await secret('user-key-encryption'));
  const keys = new KeyRing({ db: database.primary, cipher, times: keyTimes(config), now });
  await keys.maintain();
  const context: Context = { config, database, logger, passwords: await createPasswords(), keys, now };
  const verifier = createVerifier({ loadKeys: () => describeKeys(context) });
  const app = createApp({ context, verifier, opsKey: await secret('ops-key') });
  const server = await listen(app, { host: config.APP_HOST, port: config.APP_PORT });
  logger.info({ port: config.APP_PORT }, 'user service is up');
  const timer = setInterval(() => void maintain(context), MAINTAIN_INTERVAL_MS);
  onStop({
    server,
    linger: 'until the sidecar ends',
    handBack: async () => clearInterval(timer),
    release: () => database.close(),
  });
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
