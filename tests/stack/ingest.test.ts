import { randomUUID } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { adsOf, type CreatorId, kstDayOf, POLICY_V1, parseEventId, REASON, type VideoId, type Viewer } from '#domain';
import { type Recording, readWatchRecorded } from '#lib/contract';
import { connectDatabase, type Database } from '#lib/database';
import { createIngestMetrics } from '#lib/telemetry';
import { credentialsOf } from '../../deploy/local/stack/index.js';
import { viewingOf, type WatchEvent } from '../../services/watch-history/domain/watch-event.js';
import { EventRecorder } from '../../services/watch-history/usecases/record-events.js';
import { callGateway, type SignedIn, signUp } from './support/gateway.js';
import { userClient } from './support/identity.js';
import { adCounters, adViewsByHand, registerVideo, stopOf, storedEvents, waitDelivered } from './support/ingest.js';
import { adminConnection, databaseConnection, EVENT_DELIVERY_MS, eventually, stack } from './support/stack.js';

const CREATOR_ID = 7n as CreatorId;
const DAY_MS = 86_400_000;

let db: Connection;

beforeAll(async () => {
  db = await adminConnection();
});

afterAll(async () => {
  await db.end();
});

describe('two replicas that commit at the same time', () => {
  let databases: Database[];
  let recorders: EventRecorder[];
  let recorded: { json: string }[];
  let nextVideoId = 900_000_001n;

  beforeAll(async () => {
    const { endpoints, secrets } = stack();
    const credentials = credentialsOf(secrets, 'watch-history');
    const options = { primary: endpoints.primary, replicas: [], credentials, poolSize: 4 };
    databases = await Promise.all([connectDatabase(options), connectDatabase(options)]);
    recorded = [];
    recorders = databases.map(
      ({ primary }) =>
        new EventRecorder({
          metrics: createIngestMetrics(),
          primary,
          policies: () => [POLICY_V1],
          onRecorded: (recording) => recorded.push(recording),
          gatherMs: 1,
          eventsMax: 5,
          commitsMax: 2,
          waitingMax: 10_000,
          deadlineMs: 20_000,
        }),
    );
  });

  afterAll(async () => {
    await Promise.all(databases.map((database) => database.close()));
  });

  function event(fields: Partial<WatchEvent> = {}): WatchEvent {
    const { watchedAtMs = Date.now(), videoId = nextVideoId as VideoId } = fields;
    const viewer = fields.viewer ?? (`d:${randomUUID()}` as Viewer);
    return {
      eventId: parseEventId(randomUUID()),
      videoId,
      creatorId: CREATOR_ID,
      ads: adsOf(900),
      viewer,
      day: kstDayOf(watchedAtMs),
      watchedAtMs,
      playedTime: 10,
      lastWatched: 10,
      adViewCount: 1,
      ...fields,
      viewing: viewingOf(viewer, videoId),
    };
  }

  beforeEach(() => {
    nextVideoId += 1n;
  });

  const reasons = async () => {
    const stored = await storedEvents(db, [String(nextVideoId)]);
    const sums: Record<number, number> = {};
    for (const { reason, copies } of stored.values()) sums[reason] = (sums[reason] ?? 0) + Number(copies);
    return sums;
  };

  test('count one of many views of one viewer within 30 s', async () => {
    const viewer = `d:${randomUUID()}` as Viewer;
    const nowMs = Date.now();
    const events = Array.from({ length: 60 }, (_, i) => event({ viewer, watchedAtMs: nowMs - i * 100 }));
    const outcomes = await Promise.all(events.map((each, i) => recorders[i % 2]!.record([each])));
    expect(outcomes.flat().filter(({ reason }) => reason === REASON.COUNTED)).toHaveLength(1);
    expect(await reasons()).toEqual({ [REASON.COUNTED]: 1, [REASON.REPEAT]: 59 });
  });

  test('count one of many views of each of hundreds of viewers, in commits of hundreds', async () => {
    const viewers = Array.from({ length: 700 }, () => `d:${randomUUID()}` as Viewer);
    const nowMs = Date.now();
    const commits = Array.from({ length: 8 }, (_, commit) =>
      viewers
        .map((viewer, i) => event({ viewer, watchedAtMs: nowMs + ((i * 7 + commit * 3) % 11) }))
        .filter((_, i) => (i * 13 + commit * 5) % 8 < 5),
    );
    const outcomes = await Promise.all(commits.map((events, i) => recorders[i % 2]!.record(events)));
    expect(outcomes.flat().filter(({ reason }) => reason === REASON.COUNTED)).toHaveLength(700);
    expect(outcomes.flat().filter(({ duplicate }) => duplicate)).toEqual([]);
    expect(await reasons()).toEqual({ [REASON.COUNTED]: 700, [REASON.REPEAT]: commits.flat().length - 700 });
    // Where each viewer left off is their latest event; what the repeat rule needs is the one that counted.
    const [wrong] = await db.query<never>(
      `SELECT * FROM (
         SELECT viewer, MAX(watched_at) AS latest, MAX(IF(reason = 0, watched_at, NULL)) AS counted
         FROM playbill_watch.watch_event WHERE video_id = ? GROUP BY viewer
       ) e LEFT JOIN playbill_watch.viewer_progress p ON p.viewer = e.viewer AND p.video_id = ?
       WHERE NOT (p.last_watched_at <=> e.latest AND p.latest_counted_at <=> e.counted)`,
      [String(nextVideoId), String(nextVideoId)],
    );
    expect(wrong).toEqual([]);
  });

  test("count none of a creator's own views", async () => {
    const viewer = `u:${CREATOR_ID}` as Viewer;
    const events = Array.from({ length: 20 }, (_, i) => event({ viewer, watchedAtMs: Date.now() - i * 60_000 }));
    await Promise.all(events.map((each, i) => recorders[i % 2]!.record([each])));
    expect(await reasons()).toEqual({ [REASON.SELF_VIEW]: 20 });
  });

  test('store a retried event once, and tell every retry what was decided first', async () => {
    const events = Array.from({ length: 20 }, () => event());
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => recorders[i % 2]!.record([events[i % 20]!])),
    );
    for (const [i] of events.entries()) {
      const own = outcomes.filter((_, call) => call % 20 === i).flat();
      expect(own.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(own.map(({ reason }) => reason)).toEqual(Array(10).fill(REASON.COUNTED));
    }
    expect(await reasons()).toEqual({ [REASON.COUNTED]: 20 });
  });

  test('store an event once that two viewers claim at the same time', async () => {
    const eventId = parseEventId(randomUUID());
    const watchedAtMs = Date.now();
    const claims = Array.from({ length: 10 }, () => event({ eventId, watchedAtMs }));
    const outcomes = await Promise.all(claims.map((each, i) => recorders[i % 2]!.record([each])));
    expect(outcomes.flat().filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await reasons()).toEqual({ [REASON.COUNTED]: 1 });
  });

  test('tell a revoked event what it was told at first', async () => {
    const { firstReason } = await import('../../services/watch-history/domain/decide.js');
    const known = event();
    await recorders[0]!.record([known]);
    await db.query('UPDATE playbill_watch.watch_event SET reason = 4 WHERE video_id = ?', [String(nextVideoId)]);
    const [outcome] = await recorders[1]!.record([known]);
    expect(outcome!.duplicate).toBe(true);
    expect(firstReason(outcome!.reason)).toBe(REASON.COUNTED);
  });

  test('mark the slice of an event whose day is over, with it', async () => {
    const watchedAtMs = Date.now() - 20 * DAY_MS;
    const late = event({ watchedAtMs });
    const slice = Number(nextVideoId % 64n);
    await db.query('DELETE FROM playbill_watch.dirty_slice WHERE day = ? AND slice = ?', [late.day, slice]);
    await recorders[0]!.record([late]);
    const marks = async () =>
      (
        await db.query<never>('SELECT * FROM playbill_watch.dirty_slice WHERE day = ? AND slice = ?', [late.day, slice])
      )[0];
    expect(await marks()).toHaveLength(1);
    await db.query('DELETE FROM playbill_watch.dirty_slice WHERE day = ? AND slice = ?', [late.day, slice]);
    await recorders[0]!.record([late]);
    expect(await marks()).toHaveLength(0);
  });

  test('sum up every stored event in exactly one recording', async () => {
    recorded.length = 0;
    const viewer = `d:${randomUUID()}` as Viewer;
    const events = Array.from({ length: 50 }, (_, i) => event(i % 5 === 0 ? { viewer } : {}));
    await Promise.all([...events, ...events].map((each, i) => recorders[i % 2]!.record([each])));
    const data = { recordings: recorded.map(({ json }) => JSON.parse(json)) };
    const videos = (readWatchRecorded(data) as Recording[]).flatMap((recording) => recording.videos);
    const sum = (index: 2 | 3) => videos.reduce((total, video) => total + video[index], 0);
    expect({ counted: sum(2), excluded: sum(3) }).toEqual({ counted: 41, excluded: 9 });
    const [rows] = await db.query<never>('SELECT COUNT(*) AS n FROM playbill_watch.recording WHERE payload LIKE ?', [
      `%"${nextVideoId},%`,
    ]);
    expect(Number((rows as { n: number }[])[0]!.n)).toBeLessThanOrEqual(recorded.length);
  });

  test('may add events, and can change or remove none of them', async () => {
    const account = await databaseConnection('watch-history');
    try {
      await expect(account.query('DELETE FROM playbill_watch.watch_event')).rejects.toThrow('denied');
      await expect(account.query('SELECT * FROM playbill_batch.posting')).rejects.toThrow('denied');
      await expect(account.query('SELECT * FROM playbill_video.video')).rejects.toThrow('denied');
    } finally {
      await account.end();
    }
  });
});

describe('through the gateway', () => {
  const LENGTH_SECONDS = 1_000;
  const ADS = 3;
  let creator: SignedIn;
  let videoId: string;

  beforeAll(async () => {
    creator = await signUp();
    videoId = await registerVideo(creator.accessToken, LENGTH_SECONDS, '영상 🎬');
  });

  const stop = (device: string, body: object) => callGateway('/v1/video/stop', { device, body });

  test('a creator finds the video at once in the list', async () => {
    const { body } = await callGateway('/v1/video?creator=me', { token: creator.accessToken });
    expect(body.items).toContainEqual({
      videoId,
      creatorId: creator.userId,
      title: '영상 🎬',
      lengthSeconds: LENGTH_SECONDS,
      ads: ADS,
    });
  });

  test('a viewer is led back to where the viewer left off, on whichever replica it was recorded', async () => {
    const device = randomUUID();
    const play = () => callGateway('/v1/video/play', { device, body: { videoId } });
    expect((await play()).body).toMatchObject({ videoId, lastWatched: 0 });
    for (const lastWatched of [100, 200, 300]) {
      expect((await stop(device, stopOf(videoId, { lastWatched }))).status).toBe(201);
      expect((await play()).body.lastWatched).toBe(lastWatched);
    }
  });

  test('an event is recorded once, answered again with 200, and refused with the field', async () => {
    const device = randomUUID();
    const event = stopOf(videoId, { adViewCount: 2 });
    const first = await stop(device, event);
    expect(first.status).toBe(201);
    const again = await stop(device, event);
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, duplicate: true });
    const refused = await stop(device, stopOf(videoId, { adViewCount: 4 }));
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toMatchObject([{ field: 'adViewCount' }]);
    expect((await stop(randomUUID(), stopOf('1234567890123'))).status).toBe(404);
  });

  test("a creator's own view is not counted", async () => {
    const { body } = await callGateway('/v1/video/stop', { token: creator.accessToken, body: stopOf(videoId) });
    expect(body).toMatchObject({ counted: false, reason: 'SELF_VIEW' });
  });

  test('a bulk call answers each event, and needs the scope', async () => {
    const { token } = await userClient().addClient({
      clientId: `ingest-${randomUUID().slice(0, 8)}`,
      scopes: ['ingest'],
    });
    const events = Array.from({ length: 200 }, (_, i) => ({
      ...stopOf(videoId, { adViewCount: i % 4 }),
      viewer: `d:${randomUUID()}`,
    }));
    const body = { events: [...events, events[0], { ...events[1], playedTime: 5_000 }] };
    const answer = await callGateway('/v1/video/stops', { token, body });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ accepted: 200, duplicates: 1, rejected: 1 });
    const ndjson = events.map((event) => JSON.stringify(event)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    const repeated = await callGateway('/v1/video/stops', { token, body: ndjson, headers });
    expect(repeated.body).toMatchObject({ accepted: 0, duplicates: 200, rejected: 0 });
    expect((await callGateway('/v1/video/stops', { token: creator.accessToken, body })).status).toBe(403);
    expect((await callGateway('/v1/video/stops', { body })).status).toBe(401);
  });

  test('ad counters and live counters are those of the events', async () => {
    await waitDelivered(db);
    const expected = await adViewsByHand(db, videoId, ADS);
    expect(expected.counted![0]).toBeGreaterThan(0);
    expect(await adCounters(db, videoId, ADS)).toEqual(expected);
    const stored = [...(await storedEvents(db, [videoId])).values()];
    const views = stored.filter(({ reason }) => reason === 0).length;
    await eventually(
      async () => {
        const { body } = await callGateway(`/v1/video/${videoId}`);
        expect(body).toMatchObject({ views, plays: 4 });
        return true;
      },
      { what: 'the live counters to show the views', deadlineMs: EVENT_DELIVERY_MS },
    );
  });
});
