import type { Connection } from 'mysql2/promise';
import { Sidecar, uuidv7 } from '#lib/dapr';
import { listDeadLetters, replayDeadLetters } from '../../services/ops/adapters/dead-letter-queries.js';
import { installationOf } from '../../services/ops/adapters/installation.js';
import { type OperatorDatabase, openOperatorDatabase } from '../../services/ops/adapters/operator-database.js';
import { adminConnection, EVENT_DELIVERY_MS, eventually, stack } from './support/stack.js';

const CONSUMER = 'advertisement';

let operator: OperatorDatabase;
let sidecar: Sidecar;
let db: Connection;

beforeAll(async () => {
  const { endpoints, secrets } = stack();
  operator = await openOperatorDatabase(installationOf(endpoints, secrets));
  const [replica] = endpoints.apps['watch-history']!;
  sidecar = new Sidecar({ httpPort: replica!.sidecarHttpPort, apiToken: endpoints.daprApiToken });
  db = await adminConnection();
});

afterAll(async () => {
  await operator.close();
  await db.end();
});

const find = async (eventId: string) =>
  (await listDeadLetters(operator.primary, { consumer: CONSUMER, eventIds: [eventId], all: true }))[0];

test('an event that cannot be used is kept, listed, and published again on request', async () => {
  const id = uuidv7();
  const data = { recordingId: id, recordedAt: 'never', videos: [] };
  await sidecar.publish('watch.recorded', { id, type: 'watch.recorded', source: 'test', data });
  const letter = await eventually(() => find(id), { what: 'the dead letter', deadlineMs: EVENT_DELIVERY_MS });
  expect(letter).toMatchObject({ consumer: CONSUMER, topic: 'watch.recorded', failures: 1, replayedAt: null, data });

  const replayed = await replayDeadLetters(operator, { consumer: CONSUMER, eventIds: [id] });
  expect(replayed.map(({ eventId }) => eventId)).toEqual([id]);
  // It is as unusable as before, and so comes back.
  await eventually(async () => ((await find(id))!.failures === 2 ? true : undefined), {
    what: 'the event to have been delivered again',
    deadlineMs: EVENT_DELIVERY_MS,
  });
  expect((await find(id))!.replayedAt).toBeNull();
}, 200_000);

test('an event that is none of the dead letters is named, and nothing is replayed', async () => {
  const unknown = uuidv7();
  await expect(replayDeadLetters(operator, { eventIds: [unknown] })).rejects.toThrow(unknown);
});

test('an event that claims to be of a topic of another service is not published by a replay', async () => {
  const id = uuidv7();
  await db.execute(
    `INSERT INTO playbill_events.dead_letter (consumer, event_id, topic, payload, failed_at)
     VALUES (?, ?, 'statistics.completed', '{}', UTC_TIMESTAMP(3))`,
    [CONSUMER, id],
  );
  await expect(replayDeadLetters(operator, { eventIds: [id] })).rejects.toThrow(id);
  expect(await replayDeadLetters(operator, { consumer: CONSUMER })).not.toContainEqual(
    expect.objectContaining({ eventId: id }),
  );
  expect((await find(id))!.replayedAt).toBeNull();
  await db.execute('DELETE FROM playbill_events.dead_letter WHERE event_id = ?', [id]);
});
