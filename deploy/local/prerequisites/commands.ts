import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders of servers, which the PATH of a user often lacks. */
const SYSTEM_DIRS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a program in PATH or a system folder, by the first of its names that is there. */
export function findProgram(...names: string[]): string | undefined {
  const dirs = [...(process.env.PATH ?? '').split(delimiter).filter((dir) => dir !== ''), ...SYSTEM_DIRS];
  for (const name of names) {
    const found = dirs.map((dir) => join(dir, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of standard error. */
  readonly onErrorLine?: (line: string) => void;
}

/** A command that ended with an error; the message has the last lines that it said. */
export class CommandFailed extends Error {
  constructor(
    command: string,
    how: string,
    readonly output: string,
  ) {
    super(`${command} ended with ${how}${output.trim() === '' ? '' : `: ${lastLines(output)}`}`);
  }
}

/** Runs a command to its end. @throws CommandFailed when it cannot be run or its exit code is not 0 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
    });
    let stdout = '';
    let stderr = '';
    let unfinishedLine = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
      if (options.onErrorLine === undefined) return;
      const lines = (unfinishedLine + data.toString()).split('\n');
      unfinishedLine = lines.pop() ?? '';
      for (const line of lines) options.onErrorLine(line);
    });
    child.once('error', (error) => reject(new CommandFailed(command, error.message, '')));
    child.once('close', (code, signal) => {
      if (code === 0) resolve({ stdout, stderr });
      else reject(new CommandFailed(command, signal ?? `exit code ${code}`, stderr + stdout));
    });
  });
}

const LAST_LINES = 6;

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-LAST_LINES).join('\n');
}
