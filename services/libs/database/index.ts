export { ACCOUNTS, type Account, readCredentials, secretName } from './accounts.js';
export { type BulkInsert, bulkInsert, insertRows, type Literal } from './bulk.js';
export { DatabaseClock } from './clock.js';
export {
  type Credentials,
  connectDatabase,
  type Database,
  type DatabaseOptions,
  dataSourceOptions,
  inTransaction,
  isRetryable,
  isTransient,
} from './connections.js';
export { datetimeToInstant, fromDatetime, toDatetime } from './datetimes.js';
export { type DeadLetter, deadLetterInbox } from './dead-letters.js';
export type { Dialect, Queryable, ReplicationPosition } from './dialect.js';
export { migrate, readSecretsFile } from './migrate.js';
export { dropPartitions, ensurePartitions, lastPartitionBound } from './partitions.js';
export { preferenceOf } from './preference.js';
export {
  BehindError,
  NoReaderError,
  type ReadChoice,
  ReaderPool,
  type ReaderPoolOptions,
  type ReadSource,
} from './reader-pool.js';
