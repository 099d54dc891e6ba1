import { type KstDay, kstDayOf } from '#domain';
import { type BatchClient, batchClientOf } from '../adapters/batch-client.js';
import { readInstallation } from '../adapters/installation.js';
import { type OperatorDatabase, openOperatorDatabase } from '../adapters/operator-database.js';
import { type ReportClient, reportClientOf } from '../adapters/report-client.js';
import { UserClient } from '../adapters/user-client.js';
import { type WatchHistoryClient, watchHistoryClientOf } from '../adapters/watch-history-client.js';

/** What a command is run with. */
export interface CommandEnvironment {
  /** The current day in Asia/Seoul. */
  today(): KstDay;
  /** Opens the database for the time of `work`. */
  withDatabase<T>(work: (database: OperatorDatabase) => Promise<T>): Promise<T>;
  batch(): Promise<BatchClient>;
  users(): Promise<UserClient>;
  reports(): Promise<ReportClient>;
  watchHistory(): Promise<WatchHistoryClient>;
}

/** The environment of this process: its variables, its clock, the installation that they point to. */
export const processEnvironment: CommandEnvironment = {
  today: () => kstDayOf(Date.now()),
  async withDatabase(work) {
    const database = await openOperatorDatabase(await readInstallation());
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  },
  batch: async () => batchClientOf(await readInstallation()),
  users: async () => new UserClient(await readInstallation()),
  reports: async () => reportClientOf(await readInstallation()),
  watchHistory: async () => watchHistoryClientOf(await readInstallation()),
};
