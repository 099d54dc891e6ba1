import { DataSource } from 'typeorm';
import { readOutboxState, uuidv7 } from '#lib/dapr';
import { dataSourceOptions, deadLetterInbox, type Queryable } from '#lib/database';
import { credentialsOf } from '../../deploy/local/stack/index.js';
import { countMailsInDoubt, countQueuedMails } from '../../services/report/repositories/mail-repository.js';
import { insertRecording, RECORDINGS } from '../../services/watch-history/repositories/recording-repository.js';
import { eventually, stack } from './support/stack.js';

/** What each service must say of the tables that are its own. */
const SERIES = {
  advertisement: ['playbill_dead_letters_waiting{consumer="advertisement"}'],
  'advertisement-reserve': ['playbill_dead_letters_waiting{consumer="advertisement"}'],
  video: ['playbill_dead_letters_waiting{consumer="video"}'],
  'watch-history': outboxes('playbill_watch.outbox', 'playbill_watch.recording'),
  batch: outboxes('playbill_batch.outbox'),
  report: [
    ...outboxes('playbill_report.outbox'),
    'playbill_mails_waiting{state="queued"}',
    'playbill_mails_waiting{state="in_doubt"}',
  ],
};

function outboxes(...tables: string[]): string[] {
  const names = ['playbill_outbox_rows', 'playbill_outbox_oldest_seconds'];
  return tables.flatMap((table) => names.map((name) => `${name}{outbox="${table}"}`));
}

test.each(Object.entries(SERIES))('every replica of %s says what waits for it', async (app, series) => {
  const replicas = stack().endpoints.apps[app]!;
  expect(replicas.length).toBeGreaterThan(0);
  for (const { appPort } of replicas) {
    const saysAll = async () => {
      const lines = (await (await fetch(`http://127.0.0.1:${appPort}/metrics`)).text()).split('\n');
      return series.every((one) => lines.some((line) => line.startsWith(`${one} `))) || undefined;
    };
    await eventually(saysAll, { what: `${series.join(', ')} of ${app}`, deadlineMs: 30_000 });
  }
});

describe('what waits is counted:', () => {
  let primary: DataSource;

  beforeAll(async () => {
    const { endpoints, secrets } = stack();
    const options = { credentials: credentialsOf(secrets, 'admin'), poolSize: 1 };
    primary = await new DataSource(dataSourceOptions(endpoints.primary, options)).initialize();
  });

  afterAll(() => primary.destroy());

  /** Runs in a transaction that nobody else sees, on one view of the tables, and leaves nothing. */
  async function unseen(work: (tx: Queryable) => Promise<void>): Promise<void> {
    const runner = primary.createQueryRunner();
    await runner.startTransaction('REPEATABLE READ');
    try {
      await work(runner);
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }

  test('rows of an outbox and the age of the oldest, which began the longest ago and not the last', () =>
    unseen(async (tx) => {
      await tx.query('DELETE FROM playbill_batch.outbox');
      const read = () => readOutboxState(tx, { table: 'playbill_batch.outbox' });
      expect(await read()).toEqual({ rows: 0, oldestSeconds: 0 });
      for (const seconds of [90, 30]) {
        await tx.query(
          `INSERT INTO playbill_batch.outbox (id, topic, payload, created_at)
           VALUES (?, 'nothing', '{}', UTC_TIMESTAMP(3) - INTERVAL ? SECOND)`,
          [uuidv7(), seconds],
        );
      }
      const { rows, oldestSeconds } = await read();
      expect(rows).toBe(2);
      expect(oldestSeconds).toBeGreaterThanOrEqual(90);
      expect(oldestSeconds).toBeLessThan(100);
    }));

  test('recordings', () =>
    unseen(async (tx) => {
      const before = await readOutboxState(tx, RECORDINGS);
      await insertRecording(tx, { recordingId: uuidv7(), json: '{}' });
      expect((await readOutboxState(tx, RECORDINGS)).rows).toBe(before.rows + 1);
    }));

  test('dead letters of one consumer that were not replayed', () =>
    unseen(async (tx) => {
      const [video, other] = [deadLetterInbox(tx, 'video'), deadLetterInbox(tx, 'advertisement')];
      const before = await video.countWaiting();
      const letters = [uuidv7(), uuidv7()].map((id) => ({ id, type: 'watch.recorded', data: {} }));
      for (const letter of letters) await video.handle(letter);
      await other.handle(letters[0]!);
      expect(await video.countWaiting()).toBe(before + 2);
      await tx.query('UPDATE playbill_events.dead_letter SET replayed_at = UTC_TIMESTAMP(3) WHERE event_id = ?', [
        letters[0]!.id,
      ]);
      expect(await video.countWaiting()).toBe(before + 1);
    }));

  test('mails that are to be sent, and those of the last days that are in doubt', () =>
    unseen(async (tx) => {
      const count = async () => [await countQueuedMails(tx), await countMailsInDoubt(tx)];
      const [queued, inDoubt] = await count();
      const mails: [state: string, failure: string | null, days: number][] = [
        ['queued', null, 0],
        ['sending', null, 0],
        ['committing', null, 0],
        ['sent', null, 0],
        ['failed', 'REFUSED', 0],
        ['failed', 'IN_DOUBT', 6],
        ['failed', 'IN_DOUBT', 8],
      ];
      for (const [index, [state, failure, days]] of mails.entries()) {
        await tx.query(
          `INSERT INTO playbill_report.mail
             (mail_id, creator_id, week, revision, state, failure, next_attempt_at, created_at)
           VALUES (?, ?, '1999-W01', 1, ?, ?, UTC_TIMESTAMP(6) - INTERVAL ? DAY, UTC_TIMESTAMP(3))`,
          [uuidv7(), index + 1, state, failure, days],
        );
      }
      expect(await count()).toEqual([queued! + 3, inDoubt! + 1]);
    }));
});
