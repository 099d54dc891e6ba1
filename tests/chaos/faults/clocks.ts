import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Longer than a service takes to see the change. */
const SEEN_AFTER_MS = 300;

/** The clocks of the services' machines, each of which can be set wrong. */
export class Clocks {
  constructor(private readonly dir: string) {}

  /** The module that services load first. */
  get preload(): string {
    const url = new URL('./jumping-clock.js', import.meta.url);
    url.searchParams.set('dir', this.dir);
    return url.href;
  }

  /** All clocks are right again. */
  async mend(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
    await mkdir(this.dir, { recursive: true });
    await seen();
  }

  /** Sets clocks wrong, by ms that may be negative. Returns when the services tell the wrong time. */
  async jump(offsetsMs: Readonly<Record<string, number>>): Promise<void> {
    for (const [replica, ms] of Object.entries(offsetsMs)) await writeFile(join(this.dir, `${replica}.clock`), `${ms}`);
    await seen();
  }
}

const seen = () => new Promise((resolve) => setTimeout(resolve, SEEN_AFTER_MS));
