import { setTimeout as pause } from 'node:timers/promises';
import type { KstDay } from '#domain';
import { poll } from '../../deploy/local/stack/index.js';
import { Random } from '../../services/ops/generator/random.js';
import type { Aftermath, Scenario } from './scenarios.js';
import type { Statements } from './statements.js';
import { Traffic, type TrafficReport, type TrafficVideo } from './traffic.js';
import { judgeAdCounters, judgeBooks, judgeEvents, type Verdict } from './verdict.js';
import type { World } from './world.js';

export interface PlayOptions {
  readonly world: World;
  readonly statements: Statements;
  readonly scenario: Scenario;
  /** A day over and not settled yet, and the day before it settled. */
  readonly day: KstDay;
  readonly seed: number;
}

/** What a scenario has shown. */
export interface Row {
  readonly scenario: Scenario;
  readonly events: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly retries: number;
  readonly mails: number;
  /** From the end of the fault until every process works, replicas are up to date, and a play is answered. */
  readonly healthyAfterSeconds: number;
  readonly problems: readonly string[];
}

/** What every day has beside traffic: events that were there before, of so many videos of so many creators. */
export const FILL = { events: 30_000, videos: 1_500, creators: 150 };
const TRAFFIC_VIDEOS = 300;
const HEALTHY_DEADLINE_MS = 120_000;
const SETTLED_DEADLINE_MS = 60_000;
/** Traffic goes on that long after everything works again. */
const AFTERWARDS_MS = 2_000;

/**
 * Plays one scenario: traffic, a run of its day and statements under way, the fault, the healing, the end of traffic, and
 * the verdict.
 */
export async function play({ world, statements, scenario, day, seed }: PlayOptions): Promise<Row> {
  await world.fillDay(day, { ...FILL, seed });
  await statements.change();
  const random = new Random();
  random.seed(seed, hash(scenario.name), 3);
  const videos = await world.videos(TRAFFIC_VIDEOS);
  const { gatewayUrl, ingestToken } = world;
  const traffic = new Traffic({ gatewayUrl, ingestToken, videos, day, seed });
  traffic.start();
  let healthyAfterSeconds = Number.NaN;
  let aftermath: Aftermath = {};
  let report: TrafficReport;
  const problems: string[] = [];
  try {
    const runId = await world.requestRun(day);
    await statements.request();
    aftermath = (await scenario.strike({ world, runId, random, traffic })) ?? {};
    healthyAfterSeconds = await untilHealthy(world, { video: videos[0]!, sinceMs: aftermath.endedMs });
    await pause(AFTERWARDS_MS);
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    report = await traffic.stop();
    await aftermath.tidyUp?.();
  }
  const verdict = await settleAndJudge(world, { report, day });
  problems.push(...verdict.problems);
  const mails = await statements.judge();
  problems.push(...mails.problems);
  return {
    scenario,
    events: verdict.storedOnce,
    refused: verdict.refused,
    unanswered: verdict.unanswered,
    retries: report.retries,
    mails: mails.delivered,
    healthyAfterSeconds,
    problems,
  };
}

/** @returns seconds since the end of the fault until everything works, seen from the supervisor and from a client */
async function untilHealthy(
  world: World,
  { video, sinceMs = performance.now() }: { video: TrafficVideo; sinceMs: number | undefined },
): Promise<number> {
  const isHealthy = async () => {
    await world.stack.waitHealthy(HEALTHY_DEADLINE_MS);
    return true as const;
  };
  await poll(isHealthy, { what: 'all processes to work', deadlineMs: HEALTHY_DEADLINE_MS });
  await poll(() => probe(world.gatewayUrl, video), { what: 'a play to be answered', deadlineMs: HEALTHY_DEADLINE_MS });
  return (performance.now() - sinceMs) / 1000;
}

/** A play through the gateway: it needs the gateway, the video service, watch-history and the database. */
async function probe(gatewayUrl: string, { videoId }: TrafficVideo): Promise<true | undefined> {
  const response = await fetch(`${gatewayUrl}/v1/video/play`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-device-uuid': '00000000-0000-4000-8000-00000000feed' },
    body: JSON.stringify({ videoId: String(videoId) }),
    signal: AbortSignal.timeout(2_000),
  });
  return response.ok || undefined;
}

/** Settles the day of the traffic, and holds what is stored against what was sent and answered. */
export async function settleAndJudge(
  world: World,
  { report, day }: { report: TrafficReport; day: KstDay },
): Promise<Verdict> {
  await world.settle(day);
  const verdict = await judgeEvents(world.db, report.events);
  const problems = [...report.contradictions.slice(0, 10), ...verdict.problems, ...(await judgeBooks(world.db, day))];
  problems.push(...(await judgeReconciliation(world, day)), ...(await untilAdsCounted(world)));
  return { ...verdict, problems };
}

/** The product's own proof must agree with ours. */
async function judgeReconciliation(world: World, day: KstDay): Promise<string[]> {
  const { differences } = await world.batch.reconciliation(day);
  return differences.map((difference) => `reconciliation: ${JSON.stringify(difference)}`);
}

/** Ad views may be on their way by the queue; they arrive by themselves. */
async function untilAdsCounted(world: World): Promise<string[]> {
  const videoAds = new Map(
    (await world.videos(100_000)).map(({ videoId, lengthSeconds }) => [
      String(videoId),
      Math.floor(lengthSeconds / 300),
    ]),
  );
  let problems: string[] = [];
  const settled = async () => {
    problems = await judgeAdCounters(world.db, videoAds);
    return problems.length === 0 || undefined;
  };
  await poll(settled, { what: 'ad views', deadlineMs: SETTLED_DEADLINE_MS, intervalMs: 500 }).catch(() => undefined);
  return problems;
}

function hash(text: string): number {
  let value = 7;
  for (const character of text) value = (Math.imul(value, 31) + character.charCodeAt(0)) | 0;
  return value;
}
