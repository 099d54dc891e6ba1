import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT_DIR } from '../local/stack/paths.js';
import { configurationPage } from './configuration.js';

/** Pages that are made from the source, by their path. */
const PAGES: readonly { readonly path: string; readonly make: () => Promise<string> }[] = [
  { path: 'docs/configuration.md', make: configurationPage },
];

/** `npm run docs` writes the generated pages; with `--check` it fails, naming those that differ. */
export async function main(args: readonly string[]): Promise<void> {
  const outdated: string[] = [];
  for (const { path, make } of PAGES) {
    const text = await make();
    const file = join(ROOT_DIR, path);
    const before = await readFile(file, 'utf8').catch(() => undefined);
    if (before === text) continue;
    outdated.push(path);
    if (!args.includes('--check')) await writeFile(file, text);
  }
  if (!args.includes('--check'))
    return console.log(outdated.length === 0 ? 'nothing changed' : `wrote ${outdated.join(', ')}`);
  if (outdated.length > 0) throw new Error(`not what \`npm run docs\` makes of the source: ${outdated.join(', ')}`);
}
