import { type Sidecar, SidecarError } from '#lib/dapr';
import type { Cache } from '../../usecases/versioned-reads.js';

const STORE = 'cache';
const TIMEOUT_MS = 250;
/** After an error nobody waits for the store for a while. */
const PAUSE_MS = 1_000;
const RAISE_ATTEMPTS_MAX = 10;

interface BulkItem {
  readonly key: string;
  readonly data?: unknown;
  readonly etag?: string;
}

/** The cache in Dapr's state component. */
export class StateCache implements Cache {
  #pausedUntilMs = 0;

  constructor(
    private readonly sidecar: Sidecar,
    private readonly ttlSeconds: number,
    /** Key of the highest version that was served. */
    private readonly latestKey = 'latest-version',
  ) {}

  async latest(): Promise<bigint | undefined> {
    return this.#guarded(async () => versionOf(await this.#item(this.latestKey)));
  }

  async read(key: string): Promise<unknown> {
    return this.#guarded(async () => (await this.#item(key))?.data ?? undefined);
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.#guarded(() =>
      this.#save([{ key, value, metadata: { ttlInSeconds: String(this.ttlSeconds) } }]).then(() => undefined),
    );
  }

  /** By compare-and-set: of two who raise at once, the higher version stays. */
  async raiseLatest(version: bigint): Promise<void> {
    await this.#guarded(async () => {
      for (let attempt = 0; attempt < RAISE_ATTEMPTS_MAX; attempt += 1) {
        const item = await this.#item(this.latestKey);
        if ((versionOf(item) ?? 0n) >= version) return;
        // An etag that nothing has: the first write wins, whoever else makes the key meanwhile.
        const etag = item?.etag ?? '0';
        const options = { concurrency: 'first-write', consistency: 'strong' };
        const saved = await this.#save([{ key: this.latestKey, value: String(version), etag, options }]);
        if (saved) return;
      }
      throw new Error('the latest version is contended');
    });
  }

  async resetLatest(version: bigint): Promise<void> {
    await this.#guarded(() => this.#save([{ key: this.latestKey, value: String(version) }]));
  }

  async #item(key: string): Promise<BulkItem | undefined> {
    const response = await this.sidecar.state(STORE, {
      path: '/bulk',
      body: { keys: [key], parallelism: 1 },
      timeoutMs: TIMEOUT_MS,
    });
    return response.json<BulkItem[]>()[0];
  }

  /** @returns false when an etag did not match */
  async #save(items: readonly unknown[]): Promise<boolean> {
    try {
      await this.sidecar.state(STORE, { path: '', body: items, timeoutMs: TIMEOUT_MS });
      return true;
    } catch (error) {
      if (error instanceof SidecarError && error.status === 409) return false;
      throw error;
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (performance.now() < this.#pausedUntilMs) throw new Error('the cache is left alone after an error');
    try {
      return await work();
    } catch (error) {
      this.#pausedUntilMs = performance.now() + PAUSE_MS;
      throw error;
    }
  }
}

function versionOf(item: BulkItem | undefined): bigint | undefined {
  return typeof item?.data === 'string' ? BigInt(item.data) : undefined;
}
