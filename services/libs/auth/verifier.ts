import { setTimeout as pause } from 'node:timers/promises';
import { type CryptoKey, importJWK } from 'jose';
import { Problem } from '#lib/http';
import type { KeySet, KnownClient } from './keys.js';
import type { Principal } from './principal.js';
import { ALGORITHM, CLIENT_TOKEN_PREFIX, hashToken, type Proof, verifyAccessToken } from './token.js';

export interface VerifierOptions {
  /** Gets the current key set, see `keysFrom`. */
  readonly loadKeys: () => Promise<KeySet>;
  readonly now?: () => number;
}

/** Tells who a bearer token belongs to. */
export interface Verifier {
  /** @throws Problem UNAUTHENTICATED when it is not valid, UNAVAILABLE while no key was ever got */
  verify(token: string): Promise<Principal>;
}

/** How old keys may be before they are got again, beside the request that finds it out. */
const FRESH_MS = 15_000;
/** From this age on a request waits for newer ones, a little: so long may a revoked client go on. */
const OLD_MS = 30_000;
const OLD_WAIT_MS = 500;
/** A token by an unknown key may be by one that is new: look, but for all who ask in this time together. */
const LOOK_AGAIN_MS = 250;
/** Where no key was ever got, a request waits so long for the first: the user service may be starting as well. */
const FIRST_WAIT_MS = 3_000;
/** While the user service is gone, what it said last holds so long. */
const STALE_MAX_MS = 24 * 3_600_000;
const TOKEN_LENGTH_MAX = 4_096;
const PROOFS_MAX = 10_000;

/** A verifier with a cache of keys and of proofs; it goes on while the user service is away. */
export function createVerifier(options: VerifierOptions): Verifier {
  return new CachingVerifier(options);
}

interface Known {
  readonly keys: ReadonlyMap<string, CryptoKey>;
  readonly clientsByHash: ReadonlyMap<string, KnownClient>;
  readonly loadedAtMs: number;
}

class CachingVerifier implements Verifier {
  readonly #now: () => number;
  readonly #proofs = new Map<string, Proof>();
  #known: Known | undefined;
  #loading: Promise<void> | undefined;
  #attempts = 0;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: VerifierOptions) {
    this.#now = options.now ?? Date.now;
  }

  async verify(token: string): Promise<Principal> {
    if (token.length > TOKEN_LENGTH_MAX) throw invalid('The token is too long.');
    await this.#requireKeys();
    return token.startsWith(CLIENT_TOKEN_PREFIX) ? this.#verifyClient(token) : this.#verifyAccess(token);
  }

  async #verifyAccess(token: string): Promise<Principal> {
    const cached = this.#proofs.get(token);
    if (cached !== undefined && cached.expiresAtMs > this.#now() && this.#known?.keys.has(cached.kid)) {
      return cached.principal;
    }
    this.#proofs.delete(token);
    const proof = await verifyAccessToken(token, {
      findKey: (kid) => this.#findKey(kid),
      nowMs: this.#now(),
    }).catch((error: { code?: string }) => {
      throw invalid(error.code === 'ERR_JWT_EXPIRED' ? 'The token has expired.' : 'The token is not valid.');
    });
    this.#remember(token, proof);
    return proof.principal;
  }

  async #verifyClient(token: string): Promise<Principal> {
    const hash = hashToken(token);
    const client = await this.#find((known) => known.clientsByHash.get(hash));
    if (client === undefined) throw invalid('The token is not valid.');
    if (client.expiresAt !== null && Date.parse(client.expiresAt) <= this.#now()) {
      throw invalid('The token has expired.');
    }
    return { kind: 'client', clientId: client.clientId, scopes: client.scopes };
  }

  #findKey(kid: string): Promise<CryptoKey | undefined> {
    return this.#find((known) => known.keys.get(kid));
  }

  async #find<T>(look: (known: Known) => T | undefined): Promise<T | undefined> {
    const found = this.#known && look(this.#known);
    if (found !== undefined) return found;
    const attemptsBefore = this.#attempts;
    if (this.#now() - this.#triedAtMs < LOOK_AGAIN_MS) await pause(LOOK_AGAIN_MS);
    if (this.#attempts === attemptsBefore) await this.#load().catch(() => undefined);
    return this.#known && look(this.#known);
  }

  /** Has keys, or says that there are none. Old ones are used when newer ones do not come. */
  async #requireKeys(): Promise<void> {
    const ageMs = this.#ageMs();
    if (ageMs < FRESH_MS) return;
    if (ageMs >= STALE_MAX_MS) return this.#waitForKeys();
    const done = this.#mayTry() ? this.#load().catch(() => undefined) : undefined;
    if (ageMs >= OLD_MS) await Promise.race([done, pause(OLD_WAIT_MS, undefined, { ref: false })]);
  }

  async #waitForKeys(): Promise<void> {
    const endMs = performance.now() + FIRST_WAIT_MS;
    for (;;) {
      if (this.#mayTry()) await this.#load().catch(() => undefined);
      if (this.#ageMs() < STALE_MAX_MS) return;
      if (performance.now() >= endMs) break;
      await pause(LOOK_AGAIN_MS, undefined, { ref: false });
    }
    throw new Problem('UNAVAILABLE', { detail: 'Tokens cannot be checked at the moment.', retryAfterSeconds: 1 });
  }

  #ageMs(): number {
    return this.#known === undefined ? Number.POSITIVE_INFINITY : this.#now() - this.#known.loadedAtMs;
  }

  #mayTry(): boolean {
    return this.#loading !== undefined || this.#now() - this.#triedAtMs >= LOOK_AGAIN_MS;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    this.#attempts += 1;
    this.#triedAtMs = this.#now();
    const { keys, clients } = await this.options.loadKeys();
    const imported = await Promise.all(
      keys.map(async (key) => [key.kid, (await importJWK(key, ALGORITHM)) as CryptoKey] as const),
    );
    this.#known = {
      keys: new Map(imported),
      clientsByHash: new Map(clients.map((client) => [client.tokenHash, client])),
      loadedAtMs: this.#now(),
    };
  }

  #remember(token: string, proof: Proof): void {
    if (this.#proofs.size >= PROOFS_MAX) this.#proofs.delete(this.#proofs.keys().next().value!);
    this.#proofs.set(token, proof);
  }
}

function invalid(detail: string): Problem {
  return new Problem('UNAUTHENTICATED', { detail });
}
