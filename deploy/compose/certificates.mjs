// Root and issuer of the certificates that sentry gives to Dapr's control plane and to every sidecar (RFC 5280, in DER),
// by Node's built-in modules only.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const DAY_MS = 86_400_000;
/** Clocks differ. */
const BACKDATED_MS = 3_600_000;

/**
 * Makes a root that signs one issuer; the root's key is then forgotten, so that nobody can sign another with it.
 * @returns PEM texts
 */
export function makeAuthority({ trustDomain, days }) {
  const [root, issuer] = [makeKeys(), makeKeys()];
  const shared = { trustDomain, days, signer: root };
  return {
    ca: certificate({ ...shared, subject: root, extensions: [isAuthority(), mayCertify(), keyId(root)] }),
    issuer: certificate({
      ...shared,
      subject: issuer,
      extensions: [isAuthority(0), mayCertify(), keyId(issuer), signerKeyId(root), dnsName(trustDomain)],
    }),
    issuerKey: issuer.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

function makeKeys() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  // The last 65 bytes are the point itself; its hash is the customary name of the key.
  return { privateKey, spki, id: createHash('sha1').update(spki.subarray(-65)).digest() };
}

function certificate({ subject, signer, trustDomain, days, extensions }) {
  const name = sequence(
    set(sequence(oid('2.5.4.10'), utf8('playbill'))),
    set(sequence(oid('2.5.4.3'), utf8(trustDomain))),
  );
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
  const now = Date.now();
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber()),
    algorithm,
    name,
    sequence(time(now - BACKDATED_MS), time(now + days * DAY_MS)),
    name,
    subject.spki,
    tagged(0xa3, sequence(...extensions)),
  );
  const der = sequence(toBeSigned, algorithm, bits(sign('sha256', toBeSigned, signer.privateKey)));
  const lines = der.toString('base64').match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Positive, and without a leading zero byte. */
function serialNumber() {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] & 0x7f) | 0x40;
  return bytes;
}

function isAuthority(pathLength) {
  const length = pathLength === undefined ? [] : [integer(Buffer.from([pathLength]))];
  return extension('2.5.29.19', sequence(tagged(0x01, Buffer.from([0xff])), ...length), { critical: true });
}

function mayCertify() {
  // keyCertSign and cRLSign: bits 5 and 6, one bit unused.
  return extension('2.5.29.15', tagged(0x03, Buffer.from([1, 0b0000_0110])), { critical: true });
}

function keyId({ id }) {
  return extension('2.5.29.14', tagged(0x04, id));
}

function signerKeyId({ id }) {
  return extension('2.5.29.35', sequence(tagged(0x80, id)));
}

function dnsName(name) {
  return extension('2.5.29.17', sequence(tagged(0x82, Buffer.from(name, 'ascii'))));
}

function extension(id, value, { critical = false } = {}) {
  return sequence(oid(id), ...(critical ? [tagged(0x01, Buffer.from([0xff]))] : []), tagged(0x04, value));
}

function tagged(tag, content) {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

function sequence(...parts) {
  return tagged(0x30, Buffer.concat(parts));
}

function set(part) {
  return tagged(0x31, part);
}

function integer(bytes) {
  return tagged(0x02, bytes);
}

function bits(bytes) {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function utf8(text) {
  return tagged(0x0c, Buffer.from(text, 'utf8'));
}

/** UTCTime, good until 2049. */
function time(ms) {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(0x17, Buffer.from(text.slice(2), 'ascii'));
}

function oid(text) {
  const [first, second, ...rest] = text.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(number) {
  const bytes = [number & 0x7f];
  for (let left = number >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}
