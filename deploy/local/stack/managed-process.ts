import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { StateLayout } from './paths.js';
import { poll } from './poll.js';
import { forgetProcess, recordProcess } from './process-records.js';

/** How a process ended that was told to. */
export interface ProcessEnd {
  readonly name: string;
  /** Its exit code, or null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly tookMs: number;
}

/** What to run, and how to tell that it works. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Resolves when the process does its work, and throws why not yet. */
  readonly check: () => Promise<void>;
  /** Done after each start, when the process has become healthy for the first time. */
  readonly afterStart?: () => Promise<void>;
  /** How long it may take to end by itself before it is killed. */
  readonly stopGraceMs: number;
  /** Processes stop in the order of this number, equal ones together. */
  readonly stopOrder: number;
}

const HEALTHY_DEADLINE_MS = 60_000;
const CHECK_TIMEOUT_MS = 5_000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A process that ran this long starts again at once when it dies. */
const STEADY_AFTER_MS = 10_000;
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/**
 * A child process that is started again when it dies. It dies with this process too, even when this one is killed
 * (Linux's parent-death signal), and is in a session of its own, so that Ctrl-C reaches only the supervisor.
 */
export class ManagedProcess {
  autoRestart = true;
  restarts = 0;
  #child: ChildProcess | undefined;
  #wanted = false;
  #paused = false;
  #startedAtMs = 0;
  #backoffMs = BACKOFF_FIRST_MS;
  #restartTimer: NodeJS.Timeout | undefined;
  #lastExit = '';
  #afterStart: Promise<void> = Promise.resolve();

  constructor(
    readonly spec: ProcessSpec,
    private readonly layout: StateLayout,
    private readonly log: (line: string) => void,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get logFile(): string {
    return join(this.layout.logDir, `${this.name}.log`);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  isRunning(): boolean {
    return this.#child !== undefined && !this.#paused;
  }

  /** Starts it unless it runs. Use {@link waitHealthy} to know when it works. */
  start(): void {
    this.#wanted = true;
    clearTimeout(this.#restartTimer);
    if (this.#child === undefined) this.#spawn();
  }

  /** Ends it for good: kindly first, by SIGKILL after its grace. @returns how it ended; undefined when it did not run */
  async stop(): Promise<ProcessEnd | undefined> {
    this.#wanted = false;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === undefined) return undefined;
    const startMs = performance.now();
    this.#send('SIGCONT');
    this.#send('SIGTERM');
    const gone = async () => (this.#child === undefined ? true : undefined);
    const options = { what: `the end of ${this.name}`, intervalMs: 20 };
    await poll(gone, { ...options, deadlineMs: this.spec.stopGraceMs }).catch(() => {
      this.log(`${this.name} did not end within ${this.spec.stopGraceMs / 1000} s and is killed`);
      this.#send('SIGKILL');
      return poll(gone, { ...options, deadlineMs: 10_000 });
    });
    const { exitCode: code, signalCode: signal } = child;
    return { name: this.name, code, signal, tookMs: Math.round(performance.now() - startMs) };
  }

  /** @returns how it ended; undefined when it did not run */
  async restart(): Promise<ProcessEnd | undefined> {
    const ended = await this.stop();
    this.start();
    await this.waitHealthy();
    return ended;
  }

  /** Sends a signal; one that ends the process is waited for. A process that is dead already stays so. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#send(signal);
    if (signal !== 'SIGKILL') return;
    await poll(async () => (this.#child === child ? undefined : true), {
      what: `the death of ${this.name}`,
      deadlineMs: 10_000,
      intervalMs: 5,
    });
  }

  pause(): void {
    this.#paused = true;
    this.#send('SIGSTOP');
  }

  resume(): void {
    this.#paused = false;
    this.#send('SIGCONT');
  }

  /** @throws after the deadline, or as soon as the process has ended and is not started again, with its last lines */
  async waitHealthy(deadlineMs: number = HEALTHY_DEADLINE_MS): Promise<void> {
    await poll(() => this.#checkOnce(), {
      what: `${this.name} (see ${this.logFile})`,
      deadlineMs,
      giveUp: () => this.#hopeless(),
    });
  }

  async #checkOnce(): Promise<true> {
    if (this.#child === undefined) throw new Error(`it is not running${this.#lastExit}`);
    const tooLong = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error('its check takes too long')), CHECK_TIMEOUT_MS).unref();
    });
    await Promise.race([this.spec.check(), tooLong]);
    await this.#afterStart;
    return true;
  }

  #hopeless(): Error | undefined {
    const isGivenUp = this.#child === undefined && (!this.#wanted || !this.autoRestart);
    return isGivenUp ? new Error(`${this.name} has ended${this.#lastExit}; see ${this.logFile}`) : undefined;
  }

  #spawn(): void {
    const { command, args, env, cwd } = this.spec;
    const [program, programArgs] =
      SETPRIV === undefined ? [command, args] : [SETPRIV, ['--pdeathsig', 'KILL', '--', command, ...args]];
    const output = openSync(this.logFile, 'a', 0o600);
    const child = spawn(program, programArgs, { env, cwd, stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    this.#child = child;
    this.#startedAtMs = performance.now();
    this.#paused = false;
    child.once('error', (error) => this.#ended(child, error.message));
    child.once('exit', (code, signal) => this.#ended(child, signal ?? `exit code ${code}`));
    if (child.pid !== undefined) recordProcess(this.layout.runDir, this.name, { pid: child.pid, command });
    if (this.spec.afterStart !== undefined) this.#afterStart = this.#runAfterStart(child, this.spec.afterStart);
  }

  async #runAfterStart(child: ChildProcess, afterStart: () => Promise<void>): Promise<void> {
    const attempt = async () => {
      if (this.#child !== child) return true;
      await this.spec.check();
      await afterStart();
      return true;
    };
    await poll(attempt, { what: `the set-up of ${this.name}`, deadlineMs: HEALTHY_DEADLINE_MS }).catch((error: Error) =>
      this.log(error.message),
    );
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#lastExit = ` (${how})`;
    forgetProcess(this.layout.runDir, this.name);
    if (!this.#wanted) return;
    if (performance.now() - this.#startedAtMs > STEADY_AFTER_MS) this.#backoffMs = BACKOFF_FIRST_MS;
    if (!this.autoRestart) {
      this.log(`${this.name} has ended (${how}) and stays down`);
      return;
    }
    this.log(`${this.name} has ended (${how}), it is started again`);
    this.#restartTimer = setTimeout(() => {
      if (!this.#wanted || !this.autoRestart || this.#child !== undefined) return;
      this.restarts += 1;
      this.#spawn();
    }, this.#backoffMs);
    this.#backoffMs = Math.min(BACKOFF_MAX_MS, this.#backoffMs * 2);
  }

  #send(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}
