import { join } from 'node:path';
import { addDays, type KstDay, kstDayOf, weekOf, weekRange } from '#domain';
import { layoutOf, portsOf, type StackOptions } from '../../deploy/local/stack/index.js';
import { startSmtpSink } from '../stack/support/smtp-sink.js';
import { Clocks } from './faults/clocks.js';
import { SlowLine } from './faults/slow-line.js';
import { SmallDisk } from './faults/small-disk.js';
import type { Rig } from './world.js';

/** Watch events are accepted for 35 days; one day is left for a suite that runs past midnight. */
const FIRST_DAY_BACK = 34;
const SMTP_PORT = 5_094;
const LINE_PORTS = [5_096, 5_097];

/** What a death leaves in the mails is found soon, and what is tried again is tried soon. */
export const MAIL_SETTINGS = {
  SMTP_TIMEOUT_MS: '2000',
  REPORT_MAIL_LEASE_MS: '4000',
  REPORT_MAIL_BACKOFF_MS: '300',
  REPORT_MAIL_ATTEMPTS_MAX: '50',
};

/** The Sunday on which the books open; the days after it are for scenarios. */
export function openingSunday(): KstDay {
  return weekRange(weekOf(addDays(kstDayOf(Date.now()), -FIRST_DAY_BACK))).to;
}

export interface OwnRig extends Required<Rig> {
  /** What the stack needs to know of it. */
  readonly options: Pick<StackOptions, 'env' | 'replicaLines' | 'preload'>;
  close(): Promise<void>;
}

/** Builds what a stack of the suite's own can be hurt by. */
export async function openRig({ stateDir, portOffset }: { stateDir: string; portOffset: number }): Promise<OwnRig> {
  const ports = portsOf(portOffset);
  const replicas = [ports['mariadb-replica-1'], ports['mariadb-replica-2']];
  const lines = await Promise.all(
    replicas.map((port, i) => SlowLine.open({ host: '127.0.0.1', port }, LINE_PORTS[i]! + portOffset)),
  );
  const layout = layoutOf(stateDir);
  await SmallDisk.forget(layout.mariadbDir);
  const clocks = new Clocks(join(layout.stateDir, 'clocks'));
  await clocks.mend();
  const sink = await startSmtpSink(SMTP_PORT + portOffset);
  return {
    sink,
    lines,
    clocks,
    options: {
      env: { PLAYBILL_SMTP: `127.0.0.1:${sink.port}`, ...MAIL_SETTINGS },
      replicaLines: lines.map(({ nearEnd }) => nearEnd),
      preload: clocks.preload,
    },
    async close() {
      await Promise.all([sink.close(), ...lines.map((line) => line.close())]);
    },
  };
}
