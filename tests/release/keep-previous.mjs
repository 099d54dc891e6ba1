// Keeps a release's compiled services in tests/fixtures/previous-release.tgz, so that tests can run it beside this one
// without its history: `node tests/release/keep-previous.mjs <commit>`, when a release was made.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const FIXTURE = join(ROOT, 'tests', 'fixtures', 'previous-release.tgz');

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: node tests/release/keep-previous.mjs <commit>');
const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 28 }).trim();
const commit = git('rev-parse', `${name}^{commit}`);
const dir = mkdtempSync(join(tmpdir(), 'playbill-release-'));
try {
  const source = execFileSync('git', ['archive', commit, 'package.json', 'tsconfig.json', 'services'], {
    cwd: ROOT,
    maxBuffer: 2 ** 28,
  });
  execFileSync('tar', ['x', '-C', dir], { input: source });
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), [
    '-p',
    dir,
    '--sourceMap',
    'false',
    '--incremental',
    'false',
  ]);
  writeFileSync(
    join(dir, 'release.json'),
    `${JSON.stringify({ commit, date: git('show', '-s', '--format=%cs', commit) })}\n`,
  );
  mkdirSync(dirname(FIXTURE), { recursive: true });
  const files = ['package.json', 'release.json', '.local/build/services'];
  // The same commit gives the same file.
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=2000-01-01'];
  execFileSync('tar', ['-C', dir, ...same, '-I', 'gzip -9n', '-cf', FIXTURE, ...files]);
  console.log(`${FIXTURE}: ${commit}`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
