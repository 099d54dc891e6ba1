import { addDays, type KstDay } from '#domain';
import { ingestTokenOf } from '../chaos/clients.js';
import { FILL, play } from '../chaos/play.js';
import { openingSunday } from '../chaos/rig.js';
import { SCENARIOS } from '../chaos/scenarios.js';
import { Statements } from '../chaos/statements.js';
import { World } from '../chaos/world.js';
import { forgetEverything } from './support/batch.js';
import { type SmtpSink, startSmtpSink } from './support/smtp-sink.js';
import { stack } from './support/stack.js';

/** The bounded part of `npm run chaos`: each fault with traffic and a run going on, and the same verdict. */
const BRIEF = SCENARIOS.filter(({ isBrief }) => isBrief === true);

let world: World;
let sink: SmtpSink;
let statements: Statements;
let day: KstDay = openingSunday();

beforeAll(async () => {
  await forgetEverything();
  // They remember the owners of videos that are gone now: a number used again would be judged by them.
  for (const name of ['video', 'watch-history-1', 'watch-history-2']) await stack().restart(name);
  sink = await startSmtpSink();
  world = new World(stack(), await ingestTokenOf(stack()), { sink });
  await forgetReports();
  statements = new Statements(world, sink, day);
  await statements.prepare({ creators: FILL.creators, seed: 1 });
}, 120_000);

afterAll(async () => {
  await forgetReports();
  await world.close();
  await sink.close();
});

beforeEach(() => {
  day = addDays(day, 1);
});

async function forgetReports(): Promise<void> {
  for (const table of ['statement', 'mail', 'statement_run', 'outbox', 'tick']) {
    await world.rows(`DELETE FROM playbill_report.${table}`);
  }
  await world.rows("DELETE FROM playbill_user.user WHERE email LIKE 'creator-%@playbill.example'");
}

test.each(BRIEF.map((scenario) => [scenario.what, scenario] as const))(
  'nothing is lost and nothing is paid twice: %s',
  async (_what, scenario) => {
    const row = await play({ world, statements, scenario, day, seed: 1 });
    expect(row.problems).toEqual([]);
    expect(row.events).toBeGreaterThan(100);
  },
  240_000,
);
