import { execFile } from 'node:child_process';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOM_MB = 2_048;
const BLOCK = Buffer.alloc(1_048_576);
const SMALL = Buffer.alloc(4_096);

/** The machine does not let a disk be put under a folder: that takes root's rights (`mount`). */
export class NoSmallDisk extends Error {}

/** A disk in memory of its own under a server's folder, which can be filled to the last byte. */
export class SmallDisk {
  readonly #ballast: string;

  private constructor(private readonly dir: string) {
    this.#ballast = join(dir, 'ballast');
  }

  /** Moves the folder's content to a disk of its own; the server must not run. @throws NoSmallDisk */
  static async under(dir: string): Promise<SmallDisk> {
    const aside = `${dir}.aside`;
    await rename(dir, aside);
    await run('mkdir', [dir]);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${ROOM_MB}m,mode=700`, 'playbill-small-disk', dir]);
    } catch (error) {
      await rm(dir, { recursive: true });
      await rename(aside, dir);
      throw new NoSmallDisk(`no disk can be mounted here: ${(error as Error).message.trim()}`);
    }
    await run('cp', ['-a', '--sparse=always', `${aside}/.`, dir]);
    await rm(aside, { recursive: true });
    return new SmallDisk(dir);
  }

  /** Takes away what a suite that was killed has left in the folders of this folder. */
  static async forget(parent: string): Promise<void> {
    const names = await readdir(parent).catch(() => []);
    for (const name of names) await run('umount', [join(parent, name)]).catch(() => undefined);
  }

  /** Leaves no room at all. */
  async fill(): Promise<void> {
    const file = await open(this.#ballast, 'w');
    try {
      for (const block of [BLOCK, SMALL]) await writeUntilFull(file, block);
    } finally {
      await file.close();
    }
  }

  /** Frees what fill has taken. */
  async empty(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** Brings the content back to where it was; the server must not run. */
  async remove(): Promise<void> {
    await this.empty();
    const aside = `${this.dir}.aside`;
    await run('cp', ['-a', this.dir, aside]);
    await run('umount', [this.dir]);
    await rm(this.dir, { recursive: true });
    await rename(aside, this.dir);
  }
}

async function writeUntilFull(file: FileHandle, block: Buffer): Promise<void> {
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
