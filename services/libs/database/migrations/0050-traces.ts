import { migration } from './migration.js';

/** The trace that a message was written in, so that who takes it goes on with it. Null for a message outside one. */
function addTraceparent(name: string, schema: string) {
  return migration({
    name,
    statement: `ALTER TABLE ${schema}.outbox ADD COLUMN traceparent CHAR(55) CHARACTER SET ascii NULL`,
    check: `SELECT COUNT(*) AS ok FROM information_schema.columns
      WHERE table_schema = '${schema}' AND table_name = 'outbox' AND column_name = 'traceparent'`,
    skipWhenDone: true,
  });
}

export const traces = [
  addTraceparent('AddWatchOutboxTrace1762050000001', 'playbill_watch'),
  addTraceparent('AddBatchOutboxTrace1762050000002', 'playbill_batch'),
  addTraceparent('AddReportOutboxTrace1762050000003', 'playbill_report'),
];
