import { type Sidecar, SidecarError } from '#lib/dapr';
import type { Bucket, CounterStore } from '../../usecases/live-counters.js';

const STORE = 'cache';
const CONFLICT = 409;

/** Buckets of live counters in the state component, a key each. */
export function counterStore(sidecar: Sidecar): CounterStore {
  const keyOf = (bucket: number) => `live-${bucket}`;
  return {
    async load(bucket) {
      const { value, etag } = await sidecar.getStateEntry<Bucket>(STORE, keyOf(bucket));
      return { counts: value ?? [], etag };
    },
    async save(bucket, counts, etag) {
      try {
        await sidecar.compareAndSetState(STORE, { key: keyOf(bucket), value: counts, etag });
        return true;
      } catch (error) {
        if (error instanceof SidecarError && error.status === CONFLICT) return false;
        throw error;
      }
    },
  };
}
