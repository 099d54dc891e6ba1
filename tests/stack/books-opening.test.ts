import { addDays, daysOf, formatPeriod, kstDayOf, latestPeriodOver } from '#domain';
import { forgetEverything, runDay } from './support/batch.js';
import { callGateway } from './support/gateway.js';
import { eventually, generate } from './support/stack.js';

/**
 * The first day that is settled opens the books for good: a late event of an earlier day is settled as an adjustment, and
 * the days between, which nobody runs, are waited for by nothing.
 */
const YESTERDAY = addDays(kstDayOf(Date.now()), -1);
const WEEK = latestPeriodOver('weekly', Date.now());
const OPENING = addDays(WEEK.from, 2);
const EARLIER = addDays(WEEK.from, -4);

const top5 = async (path: string) => (await callGateway(`/v1/info/top5/${path}`)).body;

beforeAll(async () => {
  await forgetEverything();
  for (const day of daysOf(OPENING, YESTERDAY)) {
    if (day === OPENING || day === YESTERDAY) await generate({ day, events: 500, videos: 20, creators: 5, seed: 1 });
    await runDay(day);
  }
  await generate({ day: EARLIER, events: 50, videos: 20, creators: 5, seed: 2 });
  await runDay(EARLIER);
}, 120_000);

test('what is shown when no period is named is the latest one still', async () => {
  expect(await top5('daily')).toMatchObject({ period: { from: YESTERDAY }, final: true });
});

test('the week in which the books opened is final, and so is the one before with the late event', async () => {
  for (const week of [WEEK, latestPeriodOver('weekly', Date.parse(`${WEEK.from}T00:00:00+09:00`))]) {
    const name = formatPeriod(week);
    await eventually(
      async () => {
        const body = await top5(`weekly?week=${name}`);
        expect({ final: body.final, places: body.byViews.length }).toEqual({ final: true, places: 5 });
        return true;
      },
      { what: `the list of ${name}`, deadlineMs: 30_000 },
    );
  }
});
