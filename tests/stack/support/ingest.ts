import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import type { Connection, Pool } from 'mysql2/promise';
import { spreadAdViews } from '#domain';
import { callGateway } from './gateway.js';
import { eventually, stack } from './stack.js';

export interface SentStop {
  readonly eventId: string;
  readonly videoId: string;
  readonly watchedAt: string;
  readonly playedTime: number;
  readonly lastWatched: number;
  readonly adViewCount: number;
}

/** A stop of now, of a device that nobody else is. */
export function stopOf(videoId: string, fields: Partial<SentStop> = {}): SentStop {
  return {
    eventId: randomUUID(),
    videoId,
    watchedAt: new Date().toISOString(),
    playedTime: 60,
    lastWatched: 60,
    adViewCount: 0,
    ...fields,
  };
}

/** Registers a video through the gateway. @returns its id */
export async function registerVideo(token: string, lengthSeconds: number, title = 'a video'): Promise<string> {
  const { status, body } = await callGateway('/v1/video', { token, body: { title, lengthSeconds } });
  if (status !== 201) throw new Error(`registering: ${status} ${JSON.stringify(body)}`);
  return body.videoId;
}

/** The stored events of a video: how often each id is there, with reason and ad views. */
export async function storedEvents(db: Connection | Pool, videoIds: readonly string[]) {
  const [rows] = await db.query<never>(
    `SELECT LOWER(HEX(event_id)) AS id, COUNT(*) AS copies, MIN(reason) AS reason, MIN(ad_view_count) AS ads
     FROM playbill_watch.watch_event WHERE video_id IN (?) GROUP BY event_id`,
    [videoIds],
  );
  const list = rows as { id: string; copies: number; reason: number; ads: number }[];
  return new Map(list.map((row) => [row.id, row]));
}

/** What the counters of a video's ads must be: the spread of each stored event, one by one. */
export async function adViewsByHand(
  db: Connection | Pool,
  videoId: string,
  ads: number,
): Promise<Record<string, number[]>> {
  const [rows] = await db.query<never>(
    'SELECT ad_view_count AS shown, reason FROM playbill_watch.watch_event WHERE video_id = ?',
    [videoId],
  );
  const sums = { counted: Array<number>(ads).fill(0), excluded: Array<number>(ads).fill(0) };
  for (const { shown, reason } of rows as { shown: number; reason: number }[]) {
    const target = reason === 0 ? sums.counted : sums.excluded;
    for (const [index, each] of spreadAdViews(shown, ads).entries()) target[index]! += each;
  }
  return sums;
}

/** The counters of a video's ads, in the form of adViewsByHand. */
export async function adCounters(
  db: Connection | Pool,
  videoId: string,
  ads: number,
): Promise<Record<string, number[]>> {
  const [rows] = await db.query<never>(
    'SELECT shown, counted, excluded FROM playbill_ad.shown_ads WHERE video_id = ?',
    [videoId],
  );
  const sums = { counted: Array<number>(ads).fill(0), excluded: Array<number>(ads).fill(0) };
  for (const { shown, counted, excluded } of rows as { shown: number; counted: number; excluded: number }[]) {
    for (let ad = 0; ad < shown; ad++) {
      sums.counted[ad]! += Number(counted);
      sums.excluded[ad]! += Number(excluded);
    }
  }
  return sums;
}

/** Waits until every recording has reached everybody. */
export async function waitDelivered(db: Connection | Pool, deadlineMs = 60_000): Promise<void> {
  await eventually(
    async () => {
      const [rows] = await db.query<never>('SELECT COUNT(*) AS waiting FROM playbill_watch.recording');
      return Number((rows as { waiting: number }[])[0]!.waiting) === 0 || undefined;
    },
    { what: 'every recording to be delivered', deadlineMs },
  );
}

/** Empties the broker, as a restart on an empty disk would. */
export function emptyRedis(): Promise<void> {
  const { endpoints, secrets } = stack();
  return new Promise((resolve, reject) => {
    const socket = createConnection(endpoints.redis, () => {
      socket.write(`AUTH ${secrets.redis!.password}\r\nFLUSHALL\r\n`);
    });
    let answer = '';
    socket.on('error', reject);
    socket.on('data', (data) => {
      answer += data.toString();
      if (answer === '+OK\r\n+OK\r\n') resolve();
      else if (answer.includes('-')) reject(new Error(answer));
      else return;
      socket.destroy();
    });
  });
}
