import { CHECKPOINT_EVERY } from '../../services/batch/domain/ledger.js';
import { ledgerSum } from '../../services/video-info/repositories/ledger-repository.js';
import { type Bench, printTable, seconds } from './support.js';

const ENTRIES = 10_000_000;
const PER_STATEMENT = 1_000_000;
const CREATOR = 1;

/**
 * The balance of one creator with ten million ledger entries: the statement that the balance call makes, with the
 * checkpoints that settlement leaves, beside the plain sum of all entries.
 */
export const balance: Bench = {
  name: 'balance',
  async run({ db }, { quick }) {
    const entries = quick ? ENTRIES / 10 : ENTRIES;
    // Sequences are found in the schema at hand.
    await db.query('USE playbill_batch');
    await db.query('SET SESSION sql_log_bin = 0');
    for (let at = 0; at < entries; at += PER_STATEMENT) {
      await db.query(
        `INSERT INTO playbill_batch.ledger_entry (creator_id, seq, event_day, video_id, kind, posting_seq, amount,
           run_number, hash)
         SELECT ${CREATOR}, ${at} + seq, '2026-06-01', 1, 'view', seq, CAST(seq AS SIGNED) % 1000 - 100, 1, UNHEX(REPEAT('0', 64))
         FROM seq_1_to_${PER_STATEMENT}`,
      );
    }
    const every = Number(CHECKPOINT_EVERY);
    // The last checkpoint is as far behind as it can be.
    await db.query(
      `INSERT INTO playbill_batch.ledger_checkpoint (creator_id, seq, balance)
       SELECT ${CREATOR}, ${every} * g, SUM(s) OVER (ORDER BY g) FROM (
         SELECT (seq + ${every} - 1) DIV ${every} AS g, SUM(amount) AS s FROM playbill_batch.ledger_entry
         WHERE creator_id = ${CREATOR} AND seq <= ${entries - every + 1} GROUP BY g) groups
       WHERE ${every} * g <= ${entries - every + 1}`,
    );
    const ask = async (sql: string) => {
      const [[row]] = (await db.query(sql)) as never as [[{ balance: string }]];
      return String(row.balance);
    };
    const plain = `SELECT SUM(amount) AS balance FROM playbill_batch.ledger_entry WHERE creator_id = ${CREATOR}`;
    let sum = '';
    const plainSeconds = await seconds(async () => {
      sum = await ask(plain);
    });
    const times: number[] = [];
    const reader = { query: async (text: string, values?: unknown[]) => (await db.query(text, values))[0] };
    for (let i = 0; i < 21; i++) {
      times.push(
        await seconds(async () => {
          const { balance: total } = await ledgerSum(reader, BigInt(CREATOR));
          if (String(total) !== sum) throw new Error(`${total} by checkpoints, ${sum} by the entries`);
        }),
      );
    }
    times.sort((a, b) => a - b);
    printTable(
      ['entries', 'plain sum ms', 'with checkpoints ms, median', 'slowest of 21'],
      [
        [
          entries.toLocaleString('en'),
          (plainSeconds * 1000).toFixed(0),
          (times[10]! * 1000).toFixed(1),
          (times[20]! * 1000).toFixed(1),
        ],
      ],
    );
  },
};
