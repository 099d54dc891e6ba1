import { stdout } from 'node:process';
import type { RunStep } from './stack/run-step.js';

interface Line {
  readonly label: string;
  readonly startMs: number;
  note: string;
  state: 'running' | 'done' | 'failed';
  endMs: number;
}

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 100;
const PLAIN_NOTE_INTERVAL_MS = 15_000;

/** Shows steps that run, several at once, with the time each takes: a live list on a terminal, lines elsewhere. */
export class Checklist {
  readonly #isTerminal = stdout.isTTY === true && process.env.TERM !== 'dumb' && process.env.CI === undefined;
  readonly #running: Line[] = [];
  #drawnLines = 0;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Runs a step and shows its end. */
  readonly step: RunStep = async (label, work) => {
    const line: Line = { label, startMs: performance.now(), note: '', state: 'running', endMs: 0 };
    this.#begin(line);
    let notedAtMs = line.startMs;
    try {
      const result = await work((text) => {
        line.note = text;
        if (this.#isTerminal || performance.now() - notedAtMs < PLAIN_NOTE_INTERVAL_MS) return;
        notedAtMs = performance.now();
        stdout.write(`… ${label}: ${text} (${seconds(notedAtMs - line.startMs)})\n`);
      });
      this.#end(line, 'done');
      return result;
    } catch (error) {
      this.#end(line, 'failed');
      throw error;
    }
  };

  /** Prints a line above the running steps. */
  print(text: string): void {
    this.#erase();
    stdout.write(`${text}\n`);
    this.#draw();
  }

  #begin(line: Line): void {
    this.#running.push(line);
    if (!this.#isTerminal) {
      stdout.write(`… ${line.label}\n`);
      return;
    }
    this.#timer ??= setInterval(() => {
      this.#frame += 1;
      this.#erase();
      this.#draw();
    }, FRAME_MS);
  }

  #end(line: Line, state: 'done' | 'failed'): void {
    line.state = state;
    line.endMs = performance.now();
    this.#running.splice(this.#running.indexOf(line), 1);
    this.print(describe(line, '', this.#isTerminal));
    if (this.#running.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(): void {
    if (!this.#isTerminal) return;
    for (const line of this.#running) stdout.write(`${describe(line, FRAMES[this.#frame % FRAMES.length]!, true)}\n`);
    this.#drawnLines = this.#running.length;
  }

  #erase(): void {
    if (this.#drawnLines > 0) stdout.write(`\x1b[${this.#drawnLines}A\x1b[J`);
    this.#drawnLines = 0;
  }
}

function describe(line: Line, spinner: string, inColour: boolean): string {
  const endMs = line.state === 'running' ? performance.now() : line.endMs;
  const mark = { running: spinner, done: '✔', failed: '✘' }[line.state];
  const colour = { running: 36, done: 32, failed: 31 }[line.state];
  const note = line.note === '' ? '' : ` — ${line.note}`;
  const text = `${line.label}${note} (${seconds(endMs - line.startMs)})`;
  if (!inColour) return `${mark} ${text}`;
  const width = stdout.columns ?? 80;
  return `\x1b[${colour}m${mark}\x1b[0m ${text.length > width - 3 ? `${text.slice(0, width - 4)}…` : text}`;
}

/** A time for people, from milliseconds. */
export function seconds(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
