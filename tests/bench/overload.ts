import { Agent } from 'node:http';
import { kstDayOf } from '#domain';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { UserClient } from '../../services/ops/adapters/user-client.js';
import { type Answer, type Call, goFirst, quantile, send, sendAtFixedRate } from './fixed-rate.js';
import { BULK_EVENTS, countStored, EventSource, introduceVideos, load, readBulkAnswer, readVideos } from './ingest.js';
import { type Bench, type BenchStack, printTable } from './support.js';

const VIDEOS = 20_000;
const TIMES = 3;
/** Of what is accepted, in ms. Without refusals, half of it took more than 9 s. */
const ACCEPTED_P99_MS_MAX = 5_000;
const RECOVERED_MS = 500;
const RECOVERED_IN_A_ROW = 10;
const RECOVERY_DEADLINE_MS = 60_000;

/** A kind of call, and how much of it there is. */
interface Kind {
  readonly name: string;
  readonly atOnce: number;
  readonly next: () => Call;
  /** Events that were accepted by a 2xx answer. */
  readonly acceptedBy: (answer: Pick<Answer, 'status' | 'text'>) => number;
}

/**
 * Three times as many calls as can be done: what is refused is told so (429 or 503 with Retry-After), what is accepted is
 * stored and answered within seconds, if not as fast as ever, and soon after the rush everything is as before.
 */
export const overload: Bench = {
  name: 'overload',
  env: { GATEWAY_ADDRESS_REQUESTS: '1000000', GATEWAY_USER_REQUESTS: '100000' },
  async run(stack, { quick }) {
    goFirst();
    await stack.generate({ day: kstDayOf(Date.now()), events: 1_000, videos: VIDEOS, seed: 1 });
    const source = new EventSource(await readVideos(stack.db));
    const { endpoints, secrets } = stack.stack;
    const users = new UserClient(installationOf(endpoints, secrets));
    const { token } = await users.addClient({ clientId: 'overload', scopes: ['ingest'] });
    await introduceVideos(stack, source, token);
    for (const kind of kindsOf(source, token)) await measure(stack, kind, quick ? 10_000 : 30_000);
  },
};

function kindsOf(source: EventSource, token: string): Kind[] {
  return [
    {
      name: 'single stops',
      atOnce: 16,
      next() {
        const { viewer, ...event } = source.next();
        return { path: '/v1/video/stop', body: JSON.stringify(event), headers: { 'x-device-uuid': viewer.slice(2) } };
      },
      acceptedBy: ({ status }) => (status === 201 ? 1 : 0),
    },
    {
      name: `bulk calls of ${BULK_EVENTS}`,
      atOnce: 3,
      next: () => ({
        path: '/v1/video/stops',
        body: source.bulk(BULK_EVENTS),
        headers: { authorization: `Bearer ${token}` },
      }),
      acceptedBy: ({ status, text }) => (status === 200 ? readBulkAnswer(text).accepted : 0),
    },
  ];
}

async function measure(stack: BenchStack, kind: Kind, durationMs: number): Promise<void> {
  const port = Number(new URL(stack.stack.endpoints.gatewayUrl!).port);
  const today = kstDayOf(Date.now());
  const usual = await measureMaximum(port, kind, durationMs / 2);
  const storedBefore = await countStored(stack.db, today);
  const answers: Answer[] = [];
  let accepted = 0;
  const callsPerSecond = usual.callsPerSecond * TIMES;
  const startMs = performance.now();
  await sendAtFixedRate({
    ...{ port, callsPerSecond, durationMs, next: kind.next },
    onAnswer(answer) {
      accepted += kind.acceptedBy(answer);
      answers.push({ ...answer, text: '' });
    },
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const recovery = await measureRecovery(port, kind);
  const stored = (await countStored(stack.db, today)) - storedBefore;
  print(kind, { usual, callsPerSecond, seconds, answers, recoverySeconds: recovery.seconds });
  const sentLate = quantile(
    answers.map(({ sentLateMs }) => sentLateMs),
    0.99,
  );
  console.log(`99 of 100 calls were sent within ${sentLate.toFixed(0)} ms of when they were due.`);
  const wrong = answers.filter((answer) => !isAccepted(answer) && !isRefusal(answer));
  if (wrong.length > 0) throw new Error(`${wrong.length} answers are no refusal: ${JSON.stringify(wrong[0])}`);
  if (stored !== accepted + recovery.accepted) {
    throw new Error(`${stored} events stored of ${accepted + recovery.accepted} that were accepted`);
  }
  const p99Ms = tookMs(answers.filter(isAccepted), 0.99);
  // Not a number when nothing was accepted.
  if (!(p99Ms <= ACCEPTED_P99_MS_MAX)) {
    throw new Error(`the p99 of what was accepted is ${p99Ms.toFixed(0)} ms, more than ${ACCEPTED_P99_MS_MAX}`);
  }
}

interface Usual {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What a few clients get through, each sending the next call after the answer. */
async function measureMaximum(port: number, kind: Kind, durationMs: number): Promise<Usual> {
  const run = (ms: number, onStatus: (status: number) => void) =>
    load({ targets: [{ port, headers: {} }], durationMs: ms, atOnce: kind.atOnce }, async (post) => {
      const { path, body, headers } = kind.next();
      onStatus((await post(path, body, headers)).status);
    });
  // It may still be letting in more and more after the rush before.
  await run(durationMs / 3, () => undefined);
  const { calls, seconds, p50Ms, p99Ms } = await run(durationMs, (status) => {
    if (status !== 200 && status !== 201) throw new Error(`${kind.name}: ${status}`);
  });
  return { callsPerSecond: calls / seconds, p50Ms, p99Ms };
}

/** Calls one after another until so many in a row were accepted quickly. */
async function measureRecovery(port: number, kind: Kind): Promise<{ seconds: number; accepted: number }> {
  const agent = new Agent({ keepAlive: true });
  const startMs = performance.now();
  let accepted = 0;
  let firstMs = startMs;
  for (let inARow = 0; inARow < RECOVERED_IN_A_ROW; ) {
    const sentMs = performance.now();
    if (sentMs - startMs > RECOVERY_DEADLINE_MS) throw new Error('it did not recover');
    const answer = await send({ agent, port, call: kind.next() });
    accepted += kind.acceptedBy(answer);
    const isQuick = answer.status >= 200 && answer.status < 300 && performance.now() - sentMs < RECOVERED_MS;
    if (isQuick && inARow === 0) firstMs = sentMs;
    inARow = isQuick ? inARow + 1 : 0;
  }
  agent.destroy();
  return { seconds: (firstMs - startMs) / 1_000, accepted };
}

const isAccepted = ({ status }: Answer) => status === 200 || status === 201;
const isRefusal = ({ status, retryAfter }: Answer) =>
  (status === 429 || status === 503) && Number(retryAfter ?? Number.NaN) > 0;

function tookMs(answers: readonly Answer[], share: number): number {
  return quantile(
    answers.map(({ tookMs }) => tookMs),
    share,
  );
}

interface Measured {
  readonly usual: Usual;
  readonly callsPerSecond: number;
  /** From the first call to the last answer. */
  readonly seconds: number;
  readonly answers: readonly Answer[];
  readonly recoverySeconds: number;
}

function print(kind: Kind, { usual, callsPerSecond, seconds, answers, recoverySeconds }: Measured): void {
  const accepted = answers.filter(isAccepted);
  const refused = answers.filter((answer) => !isAccepted(answer));
  const at = (part: readonly Answer[], share: number) => tookMs(part, share).toFixed(0);
  printTable(
    [kind.name, 'calls/s', 'accepted/s', 'p50 ms', 'p99 ms', 'refused', 'refused p99 ms', 'as before after s'],
    [
      [
        `${kind.atOnce} at once`,
        usual.callsPerSecond.toFixed(1),
        usual.callsPerSecond.toFixed(1),
        usual.p50Ms.toFixed(0),
        usual.p99Ms.toFixed(0),
        '0',
        '',
        '',
      ],
      [
        `${TIMES} times as many`,
        callsPerSecond.toFixed(1),
        (accepted.length / seconds).toFixed(1),
        at(accepted, 0.5),
        at(accepted, 0.99),
        String(refused.length),
        at(refused, 0.99),
        recoverySeconds.toFixed(1),
      ],
    ],
  );
}
