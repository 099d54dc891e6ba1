import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedProcess, type ProcessEnd, type ProcessSpec } from './managed-process.js';
import type { StateLayout } from './paths.js';

/** The processes of one stack, by name. */
export class Supervisor {
  readonly #processes = new Map<string, ManagedProcess>();
  #stopped = false;

  constructor(
    private readonly layout: StateLayout,
    private readonly log: (line: string) => void,
  ) {
    mkdirSync(layout.logDir, { recursive: true });
    rotateLogs(layout.logDir);
  }

  /** Starts a process and waits until it works. @throws as {@link ManagedProcess.waitHealthy} */
  async launch(spec: ProcessSpec): Promise<ManagedProcess> {
    if (this.#stopped) throw new Error('the stack is being stopped');
    const process = new ManagedProcess(spec, this.layout, this.log);
    this.#processes.set(spec.name, process);
    process.start();
    await process.waitHealthy();
    return process;
  }

  /** @throws when the stack has no process of this name, with the names that it has */
  get(name: string): ManagedProcess {
    const process = this.#processes.get(name);
    if (process === undefined) throw new Error(`no process ${name}; there are ${this.names().join(', ')}`);
    return process;
  }

  /** Ends a process for good. @returns how it ended; undefined when it did not run */
  async remove(name: string): Promise<ProcessEnd | undefined> {
    const ended = await this.get(name).stop();
    this.#processes.delete(name);
    return ended;
  }

  names(): string[] {
    return [...this.#processes.keys()];
  }

  async waitHealthy(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.waitHealthy(deadlineMs)));
  }

  /** Ends all processes, those first that need others. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const all = [...this.#processes.values()];
    const orders = [...new Set(all.map((process) => process.spec.stopOrder))].sort((a, b) => a - b);
    for (const order of orders) {
      await Promise.all(all.filter((process) => process.spec.stopOrder === order).map((process) => process.stop()));
    }
  }

  /** Ends all processes at once, without a chance to tidy up. */
  async kill(): Promise<void> {
    this.#stopped = true;
    await Promise.all(
      [...this.#processes.values()].map((process) => {
        process.autoRestart = false;
        return process.kill('SIGKILL');
      }),
    );
  }
}

/** Keeps the log of the start before as `<name>.log.1`. */
function rotateLogs(logDir: string): void {
  for (const file of readdirSync(logDir).filter((name) => name.endsWith('.log'))) {
    const path = join(logDir, file);
    if (existsSync(path) && statSync(path).size > 0) renameSync(path, `${path}.1`);
  }
}
