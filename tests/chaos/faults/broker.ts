import { createConnection } from 'node:net';
import type { Endpoint } from '../../../deploy/local/stack/index.js';

const ANSWER_MS = 10_000;
/** Of each topic. */
const MESSAGES_MAX = 2_000;

/** Puts what the topics of the last time hold into them once more, in the same order. ARGV: how many of each. */
const REDELIVER = `
  local sent = 0
  for _, key in ipairs(redis.call('KEYS', '*')) do
    if redis.call('TYPE', key).ok == 'stream' then
      local entries = redis.call('XREVRANGE', key, '+', '-', 'COUNT', ARGV[1])
      for i = #entries, 1, -1 do
        redis.call('XADD', key, '*', unpack(entries[i][2]))
        sent = sent + 1
      end
    end
  end
  return sent`;

/** Has the broker deliver again what its topics hold, as after a lost acknowledgement. @returns how many messages */
export function redeliver(redis: Endpoint, password: string): Promise<number> {
  const commands = [
    ['AUTH', password],
    ['EVAL', REDELIVER, '0', String(MESSAGES_MAX)],
  ];
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(redis, () => socket.write(commands.map(encode).join('')));
    const finish = (work: () => void) => {
      socket.destroy();
      work();
    };
    socket.setTimeout(ANSWER_MS, () => finish(() => reject(new Error('Redis does not answer'))));
    socket.on('error', reject);
    socket.on('data', (data) => {
      answer += data.toString();
      const [, sent] = /:(\d+)\r\n/.exec(answer) ?? [];
      if (sent !== undefined) finish(() => resolve(Number(sent)));
      else if (/(^|\n)-/.test(answer)) finish(() => reject(new Error(`Redis: ${answer.trim()}`)));
    });
  });
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
