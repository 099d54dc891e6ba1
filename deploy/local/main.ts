import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareSample, runSample } from './sample.js';
import { SetupError, type Stack, startStack } from './stack/index.js';
import { Checklist, seconds } from './ui.js';

const USAGE = `npm start [-- options]
  --empty                start without sample data
  --infrastructure-only  start databases, broker and Dapr's control plane only, e.g. for \`dapr run -f dapr/dapr.yaml\``;

/** \`npm start\`: starts a stack, shows it with sample data, and keeps it until it is told to end. */
export async function main(args: readonly string[]): Promise<void> {
  const startMs = performance.now();
  const checklist = new Checklist();
  const { values } = readArguments(args);
  if (values.help === true) return console.log(USAGE);
  const isBare = values['infrastructure-only'] === true;
  const hasSample = !isBare && values.empty !== true;
  let stack: Stack | undefined;
  const ending = new Ending(() => stack, checklist);
  try {
    stack = await startStack({
      ...(isBare ? { services: [] } : {}),
      ...(hasSample ? { beforeServices: (parts) => trySample(() => prepareSample(parts), checklist) } : {}),
      step: checklist.step,
      log: (line) => checklist.print(`  ${line}`),
    });
    const running = stack;
    if (ending.isAsked) return await ending.finish();
    checklist.print(`\nReady after ${seconds(performance.now() - startMs)}.\n`);
    if (hasSample) await trySample(() => runSample(running), checklist);
    if (!ending.isAsked) console.log(describe(running, isBare));
  } catch (error) {
    if (ending.isAsked) return;
    await stack?.stop();
    explain(error);
    process.exit(1);
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        empty: { type: 'boolean' },
        'infrastructure-only': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

/** The sample is a demonstration: a stack that runs is not ended because of it. */
async function trySample(what: () => Promise<void>, checklist: Checklist): Promise<void> {
  try {
    await what();
  } catch (error) {
    checklist.print(`The sample did not come to its end: ${(error as Error).message}`);
  }
}

function describe(stack: Stack, isBare: boolean): string {
  const { endpoints, layout } = stack;
  const server = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
  const rows: [string, string][] = [
    ...(endpoints.gatewayUrl === undefined ? [] : ([['gateway', endpoints.gatewayUrl]] as [string, string][])),
    ...Object.values(endpoints.apps).flatMap((apps) =>
      apps.map(({ name, appPort, sidecarHttpPort }): [string, string] => [
        name,
        `app http://127.0.0.1:${appPort}   sidecar http://127.0.0.1:${sidecarHttpPort}`,
      ]),
    ),
    [
      'database',
      `${server(endpoints.primary)} (primary)   ${endpoints.replicas.map((r) => server(r.endpoint)).join('   ')}`,
    ],
    ['broker', server(endpoints.redis)],
    ['mail', endpoints.inboxUrl === undefined ? server(endpoints.smtp) : `${endpoints.inboxUrl} (inbox)`],
    ['logs', layout.logDir],
    ['secrets', layout.secretsFile],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  const stateDir = relative(process.cwd(), layout.stateDir);
  const next = isBare ? ['', `In another terminal:  . ${stateDir}/dapr-run.env && dapr run -f dapr/dapr.yaml`] : [];
  const calls = endpoints.gatewayUrl === undefined ? [] : describeCalls(endpoints.gatewayUrl);
  return ['', 'Playbill runs', ...lines, ...calls, ...next, '', 'Ctrl-C stops everything.'].join('\n');
}

/** Calls that work as they stand here, from nothing to what an operator sees. */
function describeCalls(gatewayUrl: string): string[] {
  const json = "-H 'content-type: application/json'";
  const account = `'{"email":"me@example.com","password":"correct horse"}'`;
  return [
    '',
    `Try the API (all of it: ${gatewayUrl}/docs)`,
    `  curl ${gatewayUrl}/v1/info/top5/daily`,
    `  curl ${gatewayUrl}/v1/user/signup ${json} -d ${account}`,
    `  curl ${gatewayUrl}/v1/user/login ${json} -d ${account}`,
    `  curl ${gatewayUrl}/v1/video ${json} -H "authorization: Bearer $TOKEN" -d '{"title":"My first","lengthSeconds":600}'`,
    `  npm run ops -- operator add me@example.com          (then log in again: the token opens /v1/ops/…)`,
    `  npm run ops -- client add player --scope ingest     (a token for /v1/video/stops)`,
  ];
}

/** Ends the stack on the first signal kindly, on the second at once. */
class Ending {
  isAsked = false;
  #askedAtMs = 0;

  constructor(
    private readonly stack: () => Stack | undefined,
    private readonly checklist: Checklist,
  ) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void this.#onSignal());
  }

  async finish(): Promise<void> {
    try {
      await this.checklist.step('Stopping', async () => this.stack()?.stop());
      process.exit(0);
    } catch (error) {
      explain(error);
      process.exit(1);
    }
  }

  async #onSignal(): Promise<void> {
    // One Ctrl-C may arrive twice: from the terminal and from npm.
    const isSecond = this.isAsked && performance.now() - this.#askedAtMs > SECOND_SIGNAL_AFTER_MS;
    if (isSecond) {
      await this.stack()?.kill9();
      process.exit(130);
    }
    if (this.isAsked) return;
    this.isAsked = true;
    this.#askedAtMs = performance.now();
    if (this.stack() !== undefined) await this.finish();
    // While it starts, what runs already dies with this process, and the next start makes sure of it.
    else process.exit(130);
  }
}

const SECOND_SIGNAL_AFTER_MS = 500;

function explain(error: unknown): void {
  if (error instanceof SetupError) console.error(`\nerror: ${error.message}\n hint: ${error.hint}`);
  else console.error(`\nerror: ${error instanceof Error ? error.message : String(error)}`);
}
