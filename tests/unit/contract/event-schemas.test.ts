import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EVENTS, type EventTopic, eventSchema } from '#lib/contract';

const FOLDER = fileURLToPath(new URL('../../../docs/events/', import.meta.url));
const topics = Object.keys(EVENTS) as EventTopic[];

describe('the JSON Schemas of events in docs/events', () => {
  test('are one a topic', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(topics.map((topic) => `${topic}.schema.json`).sort());
  });

  test.each(topics)('%s is what the code says', (topic) => {
    expect(JSON.parse(readFileSync(`${FOLDER}${topic}.schema.json`, 'utf8'))).toEqual(eventSchema(topic));
  });
});

test.each([
  ['statistics.completed', { day: '2026-11-22', runId: '01a210b2-a672-7566-8ca1-40e785a24203', revision: 1 }],
  ['settlement.completed', { day: '2026-11-22', runId: '01a210b2-a672-7566-8ca1-40e785a24203', revision: 2 }],
  ['statement.ready', { creatorId: '7', week: '2026-W47', revision: 1 }],
] as const)('%s has the fields of the contract', (topic, data) => {
  expect(EVENTS[topic].safeParse(data).success).toBe(true);
});
