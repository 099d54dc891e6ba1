import { createSchema } from './migration.js';

/** One schema per owner (see docs/architecture.md). */
export const schemas = [
  createSchema({ name: 'CreateWatchSchema1761955200001', schema: 'playbill_watch' }),
  createSchema({ name: 'CreateVideoSchema1761955200002', schema: 'playbill_video' }),
  createSchema({ name: 'CreateUserSchema1761955200003', schema: 'playbill_user' }),
  createSchema({ name: 'CreateAdvertisementSchema1761955200004', schema: 'playbill_ad' }),
  createSchema({ name: 'CreateBatchSchema1761955200005', schema: 'playbill_batch' }),
  createSchema({ name: 'CreateReportSchema1761955200006', schema: 'playbill_report' }),
  createSchema({ name: 'CreateDaprSchema1761955200007', schema: 'playbill_dapr' }),
];
