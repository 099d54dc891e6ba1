// Makes what docker-compose.yml needs and no repository holds: passwords, tokens and Dapr's certificates, in
// deploy/compose/.secrets. What is there already is kept, so it can be run again at any time; certificates that end soon
// are made anew (restart everything then). Needs Node's built-in modules only.
//
//   node deploy/compose/secrets.mjs [folder]
import { randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from './certificates.mjs';

const MYSQL_PRIMARY = 'mysql-primary:3306';
const REDIS = 'redis:6379';

/** Database accounts of the services; the migrations create them with these passwords. */
const SERVICE_ACCOUNTS = [
  'batch',
  'watch-history',
  'video',
  'user',
  'advertisement',
  'video-info',
  'report',
  'maintenance',
  'dapr',
];
const TOKENS = ['dapr-api-token', 'app-api-token', 'scrape-token', 'ops-key', 'user-key-encryption'];

const TRUST_DOMAIN = 'localhost';
const CERTIFICATE_DAYS = 365;
const CERTIFICATE_DAYS_LEFT_MIN = 30;
const DAY_MS = 86_400_000;
const READABLE = 0o644;

const dir = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '.secrets');
// Only its owner gets into the folder. The files inside are mounted one by one into containers that run as others.
mkdirSync(dir, { recursive: true });
chmodSync(dir, 0o700);

const before = existsSync(path('secrets.json')) ? JSON.parse(readFileSync(path('secrets.json'), 'utf8')) : {};
const secrets = makeSecrets();
makeCertificates();
write('secrets.json', `${JSON.stringify(secrets, null, 2)}\n`);
write('mysql-root-password', secrets['mysql-root'].password);
write('redis.conf', `requirepass ${secrets.redis.password}\n`);
write('grafana-password', secrets.grafana.password);
// The gateway's port is public, so it asks the scraper for this.
write('scrape-token', secrets['scrape-token'].token);
write(
  'tokens.env',
  `DAPR_API_TOKEN=${secrets['dapr-api-token'].token}\nAPP_API_TOKEN=${secrets['app-api-token'].token}\n`,
);
const trustAnchors = readFileSync(path('certificates/ca.crt'), 'utf8').trim().replaceAll('\n', '\\n');
write('sidecars.env', `DAPR_TRUST_ANCHORS="${trustAnchors}\\n"\n`);
console.log(`secrets are in ${dir}`);

/** In the form of Dapr's file secret store: each is an object of texts. */
function makeSecrets() {
  const result = {
    ...before,
    'mysql-root': account('mysql-root', 'root'),
    'mysql-admin': account('mysql-admin', 'playbill_admin'),
    'mysql-replication': account('mysql-replication', 'playbill_replication'),
    grafana: account('grafana', 'admin'),
    redis: { host: REDIS, password: before.redis?.password ?? randomText() },
    // The mail inbox of this file asks for no account.
    smtp: before.smtp ?? { username: '', password: '' },
  };
  for (const name of SERVICE_ACCOUNTS) {
    result[`mysql-${name}`] = account(`mysql-${name}`, `playbill_${name.replaceAll('-', '_')}`);
  }
  for (const name of TOKENS) result[name] = { token: before[name]?.token ?? randomText() };
  const { username, password } = result['mysql-dapr'];
  result['actor-state'] = {
    connectionString: `${username}:${password}@tcp(${MYSQL_PRIMARY})/?allowNativePasswords=true`,
  };
  return result;
}

function account(name, username) {
  return { username, password: before[name]?.password ?? randomText() };
}

/** 192 bits, in letters, digits, - and _ only, so that it needs no quoting anywhere. */
function randomText() {
  return randomBytes(24).toString('base64url');
}

/** Those of sentry; it signs with the issuer's key, and everybody trusts the root. */
function makeCertificates() {
  if (daysLeft() >= CERTIFICATE_DAYS_LEFT_MIN) return;
  const made = makeAuthority({ trustDomain: TRUST_DOMAIN, days: CERTIFICATE_DAYS });
  mkdirSync(path('certificates'), { recursive: true });
  write('certificates/ca.crt', made.ca);
  write('certificates/issuer.crt', made.issuer);
  write('certificates/issuer.key', made.issuerKey);
}

function daysLeft() {
  const file = path('certificates/issuer.crt');
  if (!existsSync(file)) return 0;
  return (Date.parse(new X509Certificate(readFileSync(file)).validTo) - Date.now()) / DAY_MS;
}

function write(file, text) {
  writeFileSync(`${path(file)}.new`, text);
  chmodSync(`${path(file)}.new`, READABLE);
  renameSync(`${path(file)}.new`, path(file));
}

function path(file) {
  return join(dir, file);
}
