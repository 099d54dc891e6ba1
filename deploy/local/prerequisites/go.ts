import { existsSync } from 'node:fs';
import { findProgram, runCommand } from './commands.js';

/** `major.minor`, the least that will do. */
export type VersionMin = readonly [major: number, minor: number];

export interface Go {
  readonly path: string;
  /** As it says itself. */
  readonly version: string;
  readonly isNewEnough: boolean;
}

/** Go's path, from PATH or where its own archive puts it; undefined where there is none. */
export function goPath(): string | undefined {
  return findProgram('go') ?? ['/usr/local/go/bin/go'].find((each) => existsSync(each));
}

/** Go with its version; undefined where there is none. */
export async function findGo(versionMin: VersionMin): Promise<Go | undefined> {
  const path = goPath();
  if (path === undefined) return undefined;
  const version = (await runCommand(path, ['version'])).stdout.trim();
  return { path, version, isNewEnough: isAtLeast(version, versionMin) };
}

/** Whether the first version in a text is that one or a later one. */
export function isAtLeast(text: string, [major, minor]: VersionMin): boolean {
  const match = /(\d+)\.(\d+)/.exec(text);
  if (match === null) return false;
  const [foundMajor, foundMinor] = [Number(match[1]), Number(match[2])];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}
