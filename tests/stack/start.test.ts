import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { kstDayOf } from '#domain';
import { ROOT_DIR } from '../../deploy/local/stack/index.js';
import { eventually } from './support/stack.js';

const STATE_DIR = join(ROOT_DIR, '.local', 'start-test');
const PORT_OFFSET = 8_000 + Number(process.env.PLAYBILL_PORT_OFFSET ?? 0);
const INBOX_URL = `http://127.0.0.1:${5_093 + PORT_OFFSET}`;

let child: ChildProcess | undefined;
let output = '';

/** Starts what `npm start` starts, with a state folder and ports of its own. */
function npmStart(...args: string[]): void {
  output = '';
  child = spawn(process.execPath, ['deploy/local/bootstrap.mjs', 'start', ...args], {
    cwd: ROOT_DIR,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      PLAYBILL_STATE_DIR: STATE_DIR,
      PLAYBILL_PORT_OFFSET: String(PORT_OFFSET),
      PLAYBILL_DB_LOG_SIZE: '256M',
    },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
}

function ended(): Promise<number | null> {
  const process = child!;
  if (process.exitCode !== null) return Promise.resolve(process.exitCode);
  return new Promise((resolve) => process.once('close', (code) => resolve(code)));
}

function saying(text: string): Promise<true> {
  return eventually(
    async () => {
      if (child?.exitCode !== null) throw new Error(`it has ended:\n${output}`);
      return output.includes(text) || undefined;
    },
    { what: `"${text}" from npm start, which says:\n${output}`, deadlineMs: 90_000 },
  );
}

interface InboxMail {
  readonly subject: string;
  readonly attachments: readonly { readonly filename: string; readonly contentType: string }[];
}

/** A mail in the development inbox, as its web page gets it. */
function mailInInbox(): Promise<InboxMail> {
  return eventually(
    async () => {
      const response = await fetch(`${INBOX_URL}/api/email?limit=1`, { signal: AbortSignal.timeout(5_000) });
      return ((await response.json()) as InboxMail[])[0];
    },
    { what: 'a mail in the inbox', deadlineMs: 30_000 },
  );
}

/** Processes of the stack that are alive, by the state folder in their command lines. */
function processesLeft(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((command) => command.includes(STATE_DIR));
}

beforeEach(() => rmSync(STATE_DIR, { recursive: true, force: true }));

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill('SIGINT');
    await ended();
  }
});

afterAll(() => rmSync(STATE_DIR, { recursive: true, force: true }));

describe('npm start', () => {
  test('shows the sample days, proven, with a mail in the inbox, and Ctrl-C leaves nothing running', async () => {
    const today = kstDayOf(Date.now());
    npmStart();
    await saying('Ctrl-C stops everything.');
    // The three days before today, and last week's Sunday when it is not among them.
    const daysSinceSunday = new Date(`${today}T00:00:00Z`).getUTCDay() || 7;
    const days = daysSinceSunday <= 3 ? 3 : 4;
    expect(output.match(/differences: none/g)).toHaveLength(days);
    expect(output.match(/100,000 events, /g)).toHaveLength(days);
    expect(processesLeft().length).toBeGreaterThanOrEqual(8);
    expect(await mailInInbox()).toMatchObject({
      subject: expect.stringMatching(/ \d{4}-W\d{2}$/),
      attachments: [
        { filename: expect.stringMatching(/^playbill-\d{4}-W\d{2}-r1\.pdf$/), contentType: 'application/pdf' },
      ],
    });
    child?.kill('SIGINT');
    expect(await ended()).toBe(0);
    expect(processesLeft()).toEqual([]);
  }, 180_000);

  test('killed by SIGKILL takes its processes with it, and the next one starts on the same data', async () => {
    npmStart('--empty');
    await saying('Ctrl-C stops everything.');
    child?.kill('SIGKILL');
    await ended();
    await eventually(async () => processesLeft().length === 0 || undefined, {
      what: 'every process to end',
      deadlineMs: 10_000,
    });
    npmStart('--empty');
    await saying('Ctrl-C stops everything.');
    expect(output).not.toContain('ran ');
    expect(output).toContain('schema is up to date');
  }, 180_000);

  test('names a port that is taken, says what to do, and leaves nothing behind', async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(16_379 + PORT_OFFSET, '127.0.0.1', resolve));
    try {
      npmStart('--empty');
      expect(await ended()).toBe(1);
      expect(output).toMatch(
        new RegExp(
          `error: port ${16_379 + PORT_OFFSET}, needed for redis, is used by another program\n hint: .*PLAYBILL_PORT_OFFSET`,
        ),
      );
      expect(processesLeft()).toEqual([]);
      expect(existsSync(join(STATE_DIR, 'stack.json'))).toBe(false);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }, 60_000);

  test('refuses a state folder in which a stack runs', async () => {
    npmStart('--empty');
    await saying('Ctrl-C stops everything.');
    const first = child!;
    npmStart('--empty');
    expect(await ended()).toBe(1);
    expect(output).toMatch(/error: a stack runs already in .*\n hint: use that one/);
    child = first;
  }, 120_000);
});
