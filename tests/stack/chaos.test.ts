import { addDays, type KstDay, kstDayOf } from '#domain';
import { ingestTokenOf } from '../chaos/clients.js';
import { play } from '../chaos/play.js';
import { SCENARIOS } from '../chaos/scenarios.js';
import { World } from '../chaos/world.js';
import { forgetEverything } from './support/batch.js';
import { stack } from './support/stack.js';

/** The bounded part of `npm run chaos`: each fault with traffic and a run going on, and the same verdict. */
const BRIEF = SCENARIOS.filter(({ isBrief }) => isBrief === true);
const FIRST_DAY_BACK = 30;

let world: World;
let day: KstDay = addDays(kstDayOf(Date.now()), -FIRST_DAY_BACK);

beforeAll(async () => {
  await forgetEverything();
  world = new World(stack(), await ingestTokenOf(stack()));
});

afterAll(() => world.close());

afterEach(() => {
  day = addDays(day, 1);
});

test.each(BRIEF.map((scenario) => [scenario.what, scenario] as const))(
  'nothing is lost and nothing is paid twice: %s',
  async (_what, scenario) => {
    const row = await play({ world, scenario, day, seed: 1 });
    expect(row.problems).toEqual([]);
    expect(row.events).toBeGreaterThan(100);
  },
  240_000,
);
