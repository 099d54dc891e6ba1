// The way in, straight after `git clone`: it needs Node's built-in modules only, brings the packages and the compiled
// code up to date, and then does what it was asked for.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const INSTALLED = join(ROOT, 'node_modules', '.playbill-lock');
const NODE_MIN = [20, 19];

const USAGE = `usage: npm start | npm test | npm run check | npm run bench -- <name> | npm run ops -- <command>`;

/** What each word of package.json's scripts does once packages and build are there. */
const TASKS = {
  start: (args) => inThisProcess('deploy/local/main.js', args),
  ops: (args) => node([compiled('services/ops/main.js'), ...args]),
  bench: (args) => inThisProcess('tests/bench/main.js', args),
  check: () => runChecks(),
  test: async (args) => {
    if (args.length === 0) await runChecks();
    const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
    await node(['--experimental-vm-modules', '--no-warnings', jest, '--config', 'tests/jest.config.js', ...args]);
  },
};

/** One command shows everything that a change must pass, beside the tests. */
async function runChecks() {
  await step('Types', () => run('tsc', ['--noEmit', '-p', '.']));
  await step('Lint and format', () => run('biome', ['ci', '.']));
  await step('Layers', () => node([join(ROOT, 'deploy', 'local', 'check-layers.mjs')], 'captured'));
}

async function main([task, ...args]) {
  requireNode();
  if (!Object.hasOwn(TASKS, task)) fail(`unknown task ${task ?? ''}`, USAGE);
  process.chdir(ROOT);
  await installPackages();
  await compile(task);
  await TASKS[task](args);
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  fail(`Node ${process.versions.node} is too old`, `install Node ${NODE_MIN.join('.')} or newer`);
}

async function installPackages() {
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === lock) return;
  await step('Installing packages by npm ci (once, a minute or less)', () =>
    run('npm', ['ci', '--no-audit', '--no-fund']),
  );
  writeFileSync(INSTALLED, lock);
}

async function compile(task) {
  mkdirSync('.local', { recursive: true });
  await step('Compiling', () => run('tsc', ['-p', '.']), { quiet: task === 'ops' });
}

/** Shows what is being done and how long it took. Its output is shown only when it fails. */
async function step(label, work, { quiet = false } = {}) {
  const startMs = performance.now();
  const isTerminal = process.stdout.isTTY === true;
  if (!quiet) process.stdout.write(isTerminal ? `… ${label}` : `… ${label}\n`);
  try {
    await work();
  } catch (error) {
    if (isTerminal && !quiet) process.stdout.write('\n');
    fail(`${label}: ${error.message}`, error.hint);
  }
  const line = `✔ ${label} (${((performance.now() - startMs) / 1000).toFixed(1)} s)\n`;
  if (!quiet) process.stdout.write(isTerminal ? `\r\x1b[K${line}` : line);
}

function run(program, args) {
  const local = join(ROOT, 'node_modules', '.bin', program);
  return ending(spawn(existsSync(local) ? local : program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Runs Node on this terminal, or captured, and takes its exit code. */
async function node(args, output = 'shown') {
  if (output === 'captured') {
    await ending(spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] }));
    return;
  }
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  // Ctrl-C reaches the child by the terminal; this process waits for its end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.exitCode = signal === null ? (code ?? 1) : 1;
      resolve();
    });
  });
  if (process.exitCode !== 0) process.exit(process.exitCode);
}

/** @throws with the command's output when it does not end well */
function ending(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.once('error', (error) => reject(new Error(error.message)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`ended with ${signal ?? `exit code ${code}`}\n${output.trim()}`));
    });
  });
}

function compiled(path) {
  return join(ROOT, '.local', 'build', path);
}

async function inThisProcess(path, args) {
  const { main: task } = await import(pathToFileURL(compiled(path)).href);
  await task(args);
}

function fail(message, hint) {
  console.error(`\nerror: ${message}${hint === undefined ? '' : `\n hint: ${hint}`}`);
  process.exit(1);
}

await main(process.argv.slice(2));
