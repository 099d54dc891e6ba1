import { readdirSync, readFileSync } from 'node:fs';

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks from boot to its start: with the id, it tells one process from another. */
  readonly started: string;
  readonly command: string;
}

/** Everything that this process has started, and what that has started in turn. */
export function descendants(): Process[] {
  const all = processes();
  const found = new Set([process.pid]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => pid !== process.pid && found.has(pid));
}

/** Those of them that still run, and whatever else names the stack's folder. @returns a line about each */
export function leftovers(before: readonly Process[], stateDir: string): string[] {
  const known = new Set(before.map(({ pid, started }) => `${pid} ${started}`));
  return processes()
    .filter(({ pid }) => pid !== process.pid)
    .filter(({ pid, started, command }) => known.has(`${pid} ${started}`) || command.includes(stateDir))
    .map(({ pid, command }) => `process ${pid} was left behind: ${command.slice(0, 150)}`);
}

/** Dead ones that nobody has collected are left out. */
function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
}

function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), started: rest[17]!, command };
  } catch {
    return undefined;
  }
}
