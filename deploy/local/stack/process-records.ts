import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SetupError } from './errors.js';
import { poll } from './poll.js';

/** What identifies a process beyond its id, which the system uses again. */
interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks from boot to the process's start. */
  readonly startTicks: string;
  readonly bootId: string;
  readonly command: string;
}

const SUPERVISOR = 'supervisor';
const END_GRACE_MS = 8_000;

/**
 * Notes in `runDir` that process `pid`, started as `command`, is ours.
 * A process that has ended already is not noted.
 */
export function recordProcess(runDir: string, name: string, { pid, command }: { pid: number; command: string }): void {
  const startTicks = startTicksOf(pid);
  if (startTicks === undefined) return;
  mkdirSync(runDir, { recursive: true });
  const file = fileOf(runDir, name);
  const record: ProcessRecord = { pid, startTicks, bootId: bootId(), command };
  writeFileSync(`${file}.new`, JSON.stringify(record));
  renameSync(`${file}.new`, file);
}

export function forgetProcess(runDir: string, name: string): void {
  rmSync(fileOf(runDir, name), { force: true });
}

/**
 * Makes this process the one supervisor of the state folder, and ends what a supervisor that was killed has left.
 * @returns names of the processes that had to be ended
 * @throws SetupError when another supervisor runs
 */
export async function claimStateDir(runDir: string): Promise<string[]> {
  mkdirSync(runDir, { recursive: true });
  const supervisor = readRecord(fileOf(runDir, SUPERVISOR));
  if (supervisor !== undefined && isAlive(supervisor)) {
    throw new SetupError(
      `a stack runs already in ${join(runDir, '..')} (process ${supervisor.pid})`,
      'use that one, end it with Ctrl-C, or set PLAYBILL_STATE_DIR and PLAYBILL_PORT_OFFSET for a second one',
    );
  }
  recordProcess(runDir, SUPERVISOR, { pid: process.pid, command: process.execPath });
  return endLeftovers(runDir);
}

export function releaseStateDir(runDir: string): void {
  forgetProcess(runDir, SUPERVISOR);
}

async function endLeftovers(runDir: string): Promise<string[]> {
  const names = readdirSync(runDir)
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .filter((name) => name !== SUPERVISOR);
  const ended = await Promise.all(
    names.map(async (name) => {
      const record = readRecord(fileOf(runDir, name));
      const wasAlive = record !== undefined && isAlive(record);
      if (wasAlive) await endProcess(record);
      forgetProcess(runDir, name);
      return wasAlive ? [name] : [];
    }),
  );
  return ended.flat();
}

async function endProcess(record: ProcessRecord): Promise<void> {
  signal(record.pid, 'SIGCONT');
  signal(record.pid, 'SIGTERM');
  const gone = async () => (isAlive(record) ? undefined : true);
  try {
    await poll(gone, { what: `process ${record.pid}`, deadlineMs: END_GRACE_MS });
  } catch {
    signal(record.pid, 'SIGKILL');
    await poll(gone, { what: `process ${record.pid} to be gone`, deadlineMs: END_GRACE_MS });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether the process of the record still runs: the same id, start and program. */
function isAlive(record: ProcessRecord): boolean {
  if (record.bootId !== bootId() || startTicksOf(record.pid) !== record.startTicks) return false;
  return readText(`/proc/${record.pid}/cmdline`)?.includes(basename(record.command)) ?? false;
}

/** Start of a process in clock ticks after boot; undefined when it is gone, or dead and not yet collected. */
function startTicksOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets, which may hold spaces and brackets itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function readRecord(file: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function fileOf(runDir: string, name: string): string {
  return join(runDir, `${name}.json`);
}
