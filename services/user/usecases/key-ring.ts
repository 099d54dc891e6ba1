import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8 } from 'jose';
import { ALGORITHM, type PublicKey, type SigningKey } from '#lib/auth';
import { uuidv7 } from '#lib/dapr';
import type { Queryable } from '#lib/database';
import { isRotationDue, type KeyTimes, retiredKeys, signingKeyOf } from '../domain/signing-keys.js';
import {
  deleteSigningKeys,
  insertSigningKey,
  listSigningKeys,
  type SigningKeyRow,
} from '../repositories/signing-key-repository.js';

/** Encrypts private keys, so that neither the database nor its copies are enough to sign. */
export interface Cipher {
  /** @param purpose bound to the text: what was sealed for one purpose is not opened for another */
  seal(text: string, purpose: string): Buffer;
  /** @throws when it was sealed by another key or for another purpose, or was changed */
  open(sealed: Buffer, purpose: string): string;
}

export interface KeyRingOptions {
  readonly db: Queryable;
  readonly cipher: Cipher;
  readonly times: KeyTimes;
  readonly now: () => number;
}

/** How long this replica goes on with the keys that it has read. */
const REREAD_MS = 30_000;

/** The signing keys of all replicas, which are in the database; made and replaced by whoever finds it due. */
export class KeyRing {
  #read: { rows: SigningKeyRow[]; atMs: number } | undefined;
  #opened: SigningKey | undefined;

  constructor(private readonly options: KeyRingOptions) {}

  /** The key to sign with now. */
  async signingKey(): Promise<SigningKey> {
    const { times, now, cipher } = this.options;
    const row = signingKeyOf(await this.#rows(), times, now());
    if (row === undefined) throw new Error('there is no signing key');
    if (this.#opened?.kid !== row.kid) {
      const privateKey = await importPKCS8(cipher.open(row.sealedPrivateKey, row.kid), ALGORITHM);
      this.#opened = { kid: row.kid, privateKey };
    }
    return this.#opened;
  }

  /** The public keys of everything that may still be valid, and of what will sign next. */
  async publicKeys(): Promise<PublicKey[]> {
    return (await this.#rows()).map((row) => row.publicJwk);
  }

  /** Makes a key when there is none or the newest is old, and removes those that nothing valid is signed by. */
  async maintain(): Promise<void> {
    const { db, times, now } = this.options;
    this.#read = undefined;
    const rows = await this.#rows();
    if (isRotationDue(rows, times, now())) await this.#insert();
    const retired = retiredKeys(rows, times, now()).map((row) => row.kid);
    await deleteSigningKeys(db, retired);
    if (retired.length > 0) this.#read = undefined;
  }

  /** Makes a new key now. With `revokesOlder` (after a theft) whatever was signed before is worth nothing. */
  async rotate({ revokesOlder }: { revokesOlder: boolean }): Promise<string> {
    const older = (await listSigningKeys(this.options.db)).map((row) => row.kid);
    const kid = await this.#insert();
    if (revokesOlder) await deleteSigningKeys(this.options.db, older);
    this.#read = undefined;
    return kid;
  }

  async #rows(): Promise<SigningKeyRow[]> {
    const nowMs = this.options.now();
    if (this.#read === undefined || nowMs - this.#read.atMs > REREAD_MS) {
      this.#read = { rows: await listSigningKeys(this.options.db), atMs: nowMs };
    }
    return this.#read.rows;
  }

  async #insert(): Promise<string> {
    const { db, cipher, now } = this.options;
    const kid = uuidv7();
    const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    const { x, y } = await exportJWK(publicKey);
    const publicJwk = { kid, kty: 'EC', crv: 'P-256', x: x!, y: y!, alg: ALGORITHM, use: 'sig' } as const;
    const sealedPrivateKey = cipher.seal(await exportPKCS8(privateKey), kid);
    await insertSigningKey(db, { kid, publicJwk, sealedPrivateKey, createdAtMs: now() });
    this.#read = undefined;
    return kid;
  }
}
