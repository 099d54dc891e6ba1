export { ACCOUNTS, type Account, secretName } from './accounts.js';
export { type BulkColumn, type BulkInsert, bulkInsert } from './bulk.js';
export {
  connectDatabase,
  type Credentials,
  type Database,
  type DatabaseOptions,
  dataSourceOptions,
  inTransaction,
  isRetryable,
} from './connections.js';
export { type Dialect, type Queryable, type ReplicationPosition } from './dialect.js';
export { migrate, readSecretsFile } from './migrate.js';
export { ensurePartitions } from './partitions.js';
