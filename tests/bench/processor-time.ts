import { readFileSync } from 'node:fs';
import { type BenchStack, printTable } from './support.js';

type CpuTimes = readonly (readonly [name: string, seconds: number])[];

/** Where the processor time went, by process. */
export function printCpu(
  stack: BenchStack,
  {
    before,
    after = cpuByProcess(stack),
    items,
    item,
  }: { before: CpuTimes; after?: CpuTimes; items: number; item: string },
): void {
  const used = after.map(([name, seconds], i) => [name, seconds - before[i]![1]] as const);
  const total = used.reduce((sum, [, seconds]) => sum + seconds, 0);
  const row = (name: string, seconds: number) => [
    name,
    ((1e6 * seconds) / items).toFixed(1),
    `${((100 * seconds) / total).toFixed(0)} %`,
  ];
  const shown = [...used].sort((a, b) => b[1] - a[1]).filter(([, seconds]) => seconds / total > 0.015);
  printTable(
    ['processor time', `µs a${/^[aeiou]/.test(item) ? 'n' : ''} ${item}`, 'share'],
    [...shown.map(([name, seconds]) => row(name, seconds)), row('all', total)],
  );
}

const TICKS_PER_SECOND = 100;

/** Processor seconds that each process of the stack, and this one with the load, has used so far. */
export function cpuByProcess({ stack }: BenchStack): [name: string, seconds: number][] {
  const secondsOf = (pid: number | undefined) => {
    if (pid === undefined) return 0;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  };
  const processes = stack.processNames().map((name) => [name, secondsOf(stack.pidOf(name))] as [string, number]);
  return [...processes, ['load', secondsOf(process.pid)]];
}
