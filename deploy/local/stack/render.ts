import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isScalar, parseDocument, visit } from 'yaml';
import { ROOT_DIR, type StateLayout } from './paths.js';
import { writePrivately } from './secrets.js';

/** How the checked-in files name the state folder of the usual stack. */
const DEFAULT_STATE_DIR = '.local/';

/**
 * Writes this stack's copies of Dapr's files: components, resiliency and configurations, with every value that begins
 * with `.local/` pointing into the stack's own state folder.
 * @param ownComponents a folder whose component files replace those of the same name, e.g. to take another broker
 */
export async function renderDaprFiles(layout: StateLayout, ownComponents?: string): Promise<void> {
  const resources = join(layout.daprDir, 'resources');
  const configurations = join(layout.daprDir, 'config');
  await Promise.all([resources, configurations].map((dir) => rm(dir, { recursive: true, force: true })));
  await renderFolder(layout, join(ROOT_DIR, 'components', 'local'), resources);
  if (ownComponents !== undefined) await renderFolder(layout, resolve(ROOT_DIR, ownComponents), resources);
  await renderFolder(layout, join(ROOT_DIR, 'dapr', 'resiliency'), resources);
  await renderFolder(layout, join(ROOT_DIR, 'dapr', 'config'), configurations);
  // Who is where in the stack that ran before.
  const stale = (await readdir(layout.daprDir)).filter((file) => file.startsWith('names.db'));
  await Promise.all(stale.map((file) => rm(join(layout.daprDir, file))));
}

async function renderFolder(layout: StateLayout, from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const files = (await readdir(from)).filter((file) => file.endsWith('.yaml'));
  await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(from, file), 'utf8');
      await writePrivately(join(to, file), renderText(text, layout.stateDir));
    }),
  );
}

/** The YAML document with its paths moved from `.local/` to `stateDir`. */
export function renderText(text: string, stateDir: string): string {
  const document = parseDocument(text);
  visit(document, {
    Scalar(_key, node) {
      if (isScalar(node) && typeof node.value === 'string' && node.value.startsWith(DEFAULT_STATE_DIR)) {
        node.value = join(stateDir, node.value.slice(DEFAULT_STATE_DIR.length));
      }
    },
  });
  return document.toString();
}
