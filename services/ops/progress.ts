import { SingleBar } from 'cli-progress';
import { formatNumber } from './tables.js';

/** Shows how far something is: a bar on a terminal, now and then a line elsewhere. Goes to standard error. */
export interface Progress {
  update(done: number, total: number, note: string): void;
  /** Ends the bar so that what is printed next begins on a line of its own. */
  stop(): void;
}

const LINE_INTERVAL_MS = 2_000;

/** @param silent shows nothing, for programs */
export function createProgress({ label, silent }: { label: string; silent: boolean }): Progress {
  if (silent) return { update: () => undefined, stop: () => undefined };
  return process.stderr.isTTY ? barProgress(label) : lineProgress(label);
}

function barProgress(label: string): Progress {
  const bar = new SingleBar({
    format: `${label}  {bar} {percentage}%  {done}/{all}  {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 28,
    hideCursor: true,
    autopadding: true,
    fps: 10,
  });
  let isStarted = false;
  // Gives the terminal its cursor and its line wrap back, also when the process is stopped half-way.
  const stop = () => {
    process.removeListener('exit', stop);
    if (isStarted) bar.stop();
    isStarted = false;
  };
  return {
    update(done, total, note) {
      const payload = { done: formatNumber(done), all: formatNumber(total), note };
      if (!isStarted) {
        process.once('exit', stop);
        bar.start(total, done, payload);
        isStarted = true;
      }
      bar.setTotal(total);
      bar.update(done, payload);
    },
    stop,
  };
}

function lineProgress(label: string): Progress {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shown = '';
  return {
    update(done, total, note) {
      const line = `${label}  ${formatNumber(done)}/${formatNumber(total)}  ${note}`;
      const isLast = done === total;
      if (line === shown || (!isLast && performance.now() - shownAtMs < LINE_INTERVAL_MS)) return;
      shownAtMs = performance.now();
      shown = line;
      process.stderr.write(`${line.trimEnd()}\n`);
    },
    stop: () => undefined,
  };
}
