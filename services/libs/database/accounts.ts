import type { Credentials } from './connections.js';

/** Database accounts: one per service, each with the least it needs. `*` in `on` means the whole schema. */

export interface Grant {
  readonly privileges: string;
  readonly on: string;
}

export const ACCOUNTS = {
  batch: [
    { privileges: 'SELECT', on: 'playbill_watch.watch_event' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_watch.dirty_slice' },
    { privileges: 'SELECT', on: 'playbill_video.video' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.dropped_day' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.run' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.run_slice' },
    { privileges: 'SELECT, INSERT, UPDATE, DELETE', on: 'playbill_batch.worker' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.coordinator_lease' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.tick' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_batch.outbox' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_batch.daily_statistic' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.statistic_day' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.settlement_day' },
    { privileges: 'SELECT, UPDATE', on: 'playbill_batch.books' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.tariff' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.tariff_tier' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.position' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.posting' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.adjustment' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.late_exclusion' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.ledger_entry' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.ledger_account' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.ledger_checkpoint' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_batch.day_hold' },
    { privileges: 'SELECT, INSERT', on: 'playbill_batch.audit_log' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_batch.rerun_request' },
    { privileges: 'SELECT', on: 'playbill_watch.revocation' },
    { privileges: 'SELECT', on: 'playbill_watch.revocation_effect' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_batch.top_video' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_batch.top_period' },
    { privileges: 'SELECT, UPDATE', on: 'playbill_batch.read_model' },
  ],
  maintenance: [{ privileges: 'SELECT, ALTER, CREATE, DROP', on: 'playbill_watch.watch_event' }],
  'watch-history': [
    { privileges: 'SELECT, INSERT, UPDATE (reason)', on: 'playbill_watch.watch_event' },
    { privileges: 'SELECT, INSERT', on: 'playbill_watch.revocation' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_watch.revocation_progress' },
    { privileges: 'SELECT, INSERT', on: 'playbill_watch.revocation_effect' },
    { privileges: 'SELECT, INSERT', on: 'playbill_watch.dirty_slice' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_watch.viewer_progress' },
    { privileges: 'SELECT', on: 'playbill_watch.validity_policy' },
    { privileges: 'SELECT, INSERT, UPDATE, DELETE', on: 'playbill_watch.recording' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_watch.outbox' },
  ],
  video: [
    { privileges: 'SELECT, INSERT', on: 'playbill_video.video' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_events.dead_letter' },
  ],
  user: [{ privileges: 'SELECT, INSERT, UPDATE, DELETE', on: 'playbill_user.*' }],
  advertisement: [
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_ad.shown_ads' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_ad.applied_recording' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_events.dead_letter' },
  ],
  'video-info': [
    { privileges: 'SELECT', on: 'playbill_batch.*' },
    { privileges: 'SELECT', on: 'playbill_video.video' },
  ],
  report: [
    { privileges: 'SELECT, INSERT', on: 'playbill_report.statement' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_report.mail' },
    { privileges: 'SELECT, INSERT, UPDATE', on: 'playbill_report.statement_run' },
    { privileges: 'SELECT, INSERT', on: 'playbill_report.tick' },
    { privileges: 'SELECT, INSERT, DELETE', on: 'playbill_report.outbox' },
    { privileges: 'SELECT', on: 'playbill_batch.*' },
    { privileges: 'SELECT', on: 'playbill_video.video' },
  ],
  dapr: [{ privileges: 'ALL PRIVILEGES', on: 'playbill_dapr.*' }],
} satisfies Record<string, readonly Grant[]>;

export type Account = keyof typeof ACCOUNTS;

/** Name of the secret that holds an account's `username` and `password`. */
export function secretName(account: Account): string {
  return `mysql-${account}`;
}

/** An account's credentials from the secret store. @throws what the store throws when this app may not read them */
export async function readCredentials(
  store: { secret(name: string): Promise<Record<string, string>> },
  account: Account,
): Promise<Credentials> {
  return (await store.secret(secretName(account))) as unknown as Credentials;
}
