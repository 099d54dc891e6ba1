import { schemas } from './0001-schemas.js';
import { watch } from './0002-watch.js';
import { video } from './0003-video.js';
import { batchRuns } from './0004-batch-runs.js';
import { batchResults } from './0005-batch-results.js';
import { dapr } from './0006-dapr.js';
import { user } from './0010-user.js';
import { ingest } from './0020-ingest.js';
import { advertisement } from './0021-advertisement.js';
import { deadLetters } from './0022-dead-letters.js';
import { money } from './0030-money.js';
import { revocation } from './0031-revocation.js';
import { readModels } from './0040-read-models.js';
import { report } from './0041-report.js';
import { traces } from './0050-traces.js';
import { retention } from './0060-retention.js';
import { lateExclusions } from './0062-late-exclusions.js';
import { shownAds } from './0070-shown-ads.js';

/** All migrations, oldest first. A file is never changed once released; a new file follows. */
export const migrations = [
  ...schemas,
  ...watch,
  ...video,
  ...batchRuns,
  ...batchResults,
  ...dapr,
  ...user,
  ...ingest,
  ...advertisement,
  ...deadLetters,
  ...money,
  ...revocation,
  ...readModels,
  ...report,
  ...retention,
  ...traces,
  ...shownAds,
  ...lateExclusions,
];
