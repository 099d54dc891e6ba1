// The way in, straight after `git clone`: it needs Node's built-in modules only, brings the packages and the compiled
// code up to date, and then does what it was asked for.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const INSTALLED = join(ROOT, 'node_modules', '.playbill-lock');
const NODE_MIN = [20, 19];

const USAGE = `usage: npm start | npm test | npm run test:kafka | npm run check | npm run bench -- <name> | npm run chaos | npm run docs | npm run ops -- <command>`;

/** What each word of package.json's scripts does once packages and build are there. */
const TASKS = {
  start: (args) => inThisProcess('deploy/local/main.js', args),
  ops: (args) => node([compiled('services/ops/main.js'), ...args]),
  bench: (args) => inThisProcess('tests/bench/main.js', args),
  chaos: (args) => inThisProcess('tests/chaos/main.js', args),
  docs: (args) => inThisProcess('deploy/docs/main.js', args),
  check: () => runChecks(),
  test: (args) => (args.length === 0 ? runEverything() : jest([...PROJECTS_OF_TEST, '--runInBand', ...args])),
  'test:kafka': (args) => testWithKafka(args),
};

/** The checks and every test. Results are left in .local/test-results, one file a project. */
async function runEverything() {
  const results = join(ROOT, '.local', 'test-results');
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  await runChecks();
  const failed = [];
  // Files of `stack` share one set of databases, so they run one after another.
  for (const [project, options] of [
    ['unit', []],
    ['stack', ['--runInBand']],
  ]) {
    const outcome = ['--json', `--outputFile=${join(results, `${project}.json`)}`, '--no-coverage'];
    if ((await jest(['--selectProjects', project, ...options, ...outcome])) !== 0) failed.push(project);
  }
  if (failed.length > 0) fail(`tests failed: ${failed.join(', ')}`);
}

/** Options of Jest's that take several values end at the next option. */
const PROJECTS_OF_TEST = ['--selectProjects', 'unit', 'stack'];

/** Opt-in, because it needs a JDK; without one it says so, and nothing has failed. */
async function testWithKafka(args) {
  const missing = ['java', 'mvn'].filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    console.log(
      `skipped: Kafka's tests need a JDK 17 or newer and Maven, and there is no ${missing.join(' and no ')} here`,
    );
    return;
  }
  await jest(['--selectProjects', 'kafka', '--runInBand', ...args]);
}

function isInstalled(program) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, program)));
}

/** @returns Jest's exit code, which becomes this process's */
function jest(args) {
  const program = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  return node(['--experimental-vm-modules', '--no-warnings', program, '--config', 'tests/jest.config.js', ...args]);
}

/** One command shows everything that a change must pass, beside the tests. */
async function runChecks() {
  await step('Types', () => run('tsc', ['--noEmit', '-p', '.']));
  await step('Lint and format', () => run('biome', ['ci', '.']));
  await step('Layers', () => run(process.execPath, ['deploy/local/check-layers.mjs']));
  await step('Generated pages', () => inThisProcess('deploy/docs/main.js', ['--check']));
  await checkComposeFile();
}

/** What builds the Dapr runtime builds Compose's own reader as well; a machine with an installed runtime may have none. */
async function checkComposeFile() {
  const { findGo } = await import(pathToFileURL(compiled('deploy/local/prerequisites/go.js')).href);
  const go = await findGo([1, 24]);
  if (go?.isNewEnough !== true)
    return console.log("skipped: docker-compose.yml by Compose's own reader, which needs Go 1.24 or newer");
  await step('docker-compose.yml', () => run(go.path, ['run', '-C', 'tests/compose', '.', '../../docker-compose.yml']));
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
    run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund']),
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

/** Runs Node on this terminal. @returns its exit code, which becomes this process's unless that is not 0 already */
function node(args) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  // Ctrl-C reaches the child by the terminal; this process waits for its end.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const result = signal === null ? (code ?? 1) : 1;
      process.exitCode ||= result;
      resolve(result);
    });
  });
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
