import { createHash } from 'node:crypto';
import {
  addDays,
  type CreatorId,
  checkWatchEvent,
  decideReason,
  endOfDayMs,
  type KstDay,
  kstDayOf,
  POLICY_V1,
  parseEventId,
  parseKstDay,
  parseViewer,
  REASON,
  type ReasonCode,
  SLICE_COUNT,
  sliceOf,
  startOfDayMs,
} from '#domain';
import { catalogueRow, catalogueVideo } from '../../../services/ops/generator/catalogue.js';
import { chunksOf } from '../../../services/ops/generator/chunks.js';
import type { GenerateRequest } from '../../../services/ops/generator/request.js';

const DAY = parseKstDay('2026-03-01');

interface Row {
  readonly videoId: number;
  readonly hexId: string;
  readonly viewer: string;
  readonly watchedAtMs: number;
  readonly played: number;
  readonly lastWatched: number;
  readonly adViews: number;
  readonly reason: number;
}

function requestOf(changes: Partial<GenerateRequest> = {}): GenerateRequest {
  return { day: DAY, events: 20_000, videos: 500, creators: 50, seed: 7, ...changes };
}

function bytesOf(request: GenerateRequest, rowsMax = 50_000): Buffer {
  return Buffer.concat([...chunksOf(request, { rowsMax })].flatMap((chunk) => chunk.blocks));
}

function rowsOf(request: GenerateRequest): Row[] {
  const lines = bytesOf(request).toString('latin1').trimEnd().split('\n');
  return lines.map((line) => {
    const [videoId, hexId, viewer, watchedAt, ...numbers] = line.split('\t') as [string, string, string, string];
    const [played, lastWatched, adViews, reason] = numbers.map(Number) as [number, number, number, number];
    const watchedAtMs = Date.parse(`${watchedAt.replace(' ', 'T')}Z`);
    return { videoId: Number(videoId), hexId, viewer, watchedAtMs, played, lastWatched, adViews, reason };
  });
}

function countBy(rows: readonly Row[], key: (row: Row) => number): number[] {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a generated day', () => {
  const request = requestOf();
  const rows = rowsOf(request);

  test('is the same, byte for byte, on every machine and in every release', () => {
    expect(sha256(bytesOf(request))).toBe('95fe9766621c09c2e33b354f771da346ecb88fed956de42f0d96739c0bec254d');
    expect(sha256(bytesOf(requestOf({ day: parseKstDay('2026-11-22'), events: 30_000, videos: 3, creators: 2 })))).toBe(
      '76b5c9f475574994e31245b306e4849324115c5657491580bc0f91f75c084f3e',
    );
  });

  test('does not depend on how it is cut into chunks and blocks', () => {
    const whole = sha256(bytesOf(request));
    expect(sha256(bytesOf(request, 777))).toBe(whole);
    const chunks = [...chunksOf(request, { rowsMax: 3_000, blockBytes: 4_096 })];
    expect(sha256(Buffer.concat(chunks.flatMap((chunk) => chunk.blocks)))).toBe(whole);
    expect(chunks.slice(0, -1).every((chunk) => chunk.rows === 3_000)).toBe(true);
    expect(chunks.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(request.events);
  });

  test('differs by seed and by day', () => {
    const ids = new Set(rows.map((row) => row.hexId));
    expect(ids.size).toBe(request.events);
    expect(rowsOf(requestOf({ seed: 8 })).some((row) => ids.has(row.hexId))).toBe(false);
    expect(rowsOf(requestOf({ day: addDays(DAY, 1) })).some((row) => ids.has(row.hexId))).toBe(false);
  });

  test.each([
    [1, 1],
    [1, 1_000],
    [63, 64],
    [999, 1_000],
    [20_001, 3],
    [50_000, 1],
    [100, 10_000],
  ])('has exactly %i events over %i videos', (events, videos) => {
    const some = rowsOf(requestOf({ events, videos, creators: 1 }));
    expect(some).toHaveLength(events);
    expect(some.every((row) => row.videoId >= 1 && row.videoId <= videos)).toBe(true);
    expect(new Set(some.map((row) => `${row.videoId}/${row.hexId}`)).size).toBe(events);
  });

  test.each([requestOf(), requestOf({ events: 60_000, videos: 2, creators: 1 })])(
    'comes in the strict order of the key: slice, video, event id',
    (some) => {
      const keys = rowsOf(some).map((row) => {
        const numbers = [sliceOf(BigInt(row.videoId)), row.videoId].map((n) => String(n).padStart(9, '0'));
        return `${numbers.join('/')}/${row.hexId}`;
      });
      expect(keys.every((key, index) => index === 0 || keys[index - 1]! < key)).toBe(true);
    },
  );

  test('names every slice of a chunk', () => {
    for (const chunk of chunksOf(request, { rowsMax: 2_000 })) {
      const lines = Buffer.concat([...chunk.blocks])
        .toString('latin1')
        .trimEnd()
        .split('\n');
      const slices = new Set(lines.map((line) => Number(line.slice(0, line.indexOf('\t'))) % SLICE_COUNT));
      expect([...chunk.slices].sort()).toEqual([...slices].sort());
    }
  });

  test('has ids that are UUIDs v7 of watchedAt', () => {
    const wrong = rows.filter(({ hexId, watchedAtMs }) => {
      const id = parseEventId(hexId.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
      return !/^.{14}7.{4}[89ab]/.test(id) || Number.parseInt(hexId.slice(0, 12), 16) !== watchedAtMs;
    });
    expect(wrong).toEqual([]);
  });

  test('keeps the limits of the watch event rules', () => {
    const wrong = rows.filter((row) => {
      const { lengthSeconds } = catalogueVideo(row.videoId, request.creators);
      const input = {
        playedTime: row.played,
        lastWatched: row.lastWatched,
        adViewCount: row.adViews,
        watchedAtMs: row.watchedAtMs,
      };
      const isOfDay = kstDayOf(row.watchedAtMs) === DAY && parseViewer(row.viewer) === row.viewer;
      return !isOfDay || checkWatchEvent(input, { lengthSeconds }, endOfDayMs(DAY)).length > 0;
    });
    expect(wrong).toEqual([]);
  });

  test('spreads over the whole day, with users and devices', () => {
    const hours = countBy(rows, (row) => Math.floor((row.watchedAtMs - startOfDayMs(DAY)) / 3_600_000));
    expect(hours).toHaveLength(24);
    const devices = rows.filter((row) => row.viewer.startsWith('d:')).length;
    expect(devices / rows.length).toBeGreaterThan(0.2);
    expect(devices / rows.length).toBeLessThan(0.6);
  });

  test('is skewed: few videos have most events, few viewers watch much', () => {
    const videos = countBy(rows, (row) => row.videoId);
    expect(videos[0]! / request.events).toBeGreaterThan(0.02);
    expect(videos.slice(0, 100).reduce((sum, n) => sum + n, 0) / request.events).toBeGreaterThan(0.6);
    const viewers = countBy(rows, (row) => Number.parseInt(sha256(Buffer.from(row.viewer)).slice(0, 12), 16));
    expect(viewers[0]!).toBeGreaterThan(5 * viewers[Math.floor(viewers.length / 2)]!);
  });
});

/** Reasons anew from the rows alone, by the rule of watch events. */
function reasonsAnew(rows: readonly Row[], creators: number): ReasonCode[] {
  const latest = new Map<string, number>();
  return rows.map((row) => {
    const key = `${row.videoId}/${row.viewer}`;
    const reason = decideReason({
      policy: POLICY_V1,
      viewer: parseViewer(row.viewer),
      creatorId: BigInt(catalogueVideo(row.videoId, creators).creatorId) as CreatorId,
      watchedAtMs: row.watchedAtMs,
      playedSeconds: row.played,
      latestCountedAtMs: latest.get(key) ?? null,
    });
    if (reason === REASON.COUNTED) latest.set(key, row.watchedAtMs);
    return reason;
  });
}

describe('reasons of a generated day', () => {
  test.each([
    requestOf(),
    requestOf({ events: 100_000, videos: 5, creators: 2, seed: 1 }),
    requestOf({ events: 30_000, videos: 20_000, creators: 2_000, seed: 2 }),
  ])('are those that the rule gives in the order of watchedAt', (request) => {
    const rows = rowsOf(request);
    expect(rows.map((row) => row.reason)).toEqual(reasonsAnew(rows, request.creators));
  });

  test('include repeats and self views, but mostly what counts', () => {
    const rows = rowsOf(requestOf());
    const share = (reason: number) => rows.filter((row) => row.reason === reason).length / rows.length;
    expect(share(REASON.REPEAT)).toBeGreaterThan(0.01);
    expect(share(REASON.REPEAT)).toBeLessThan(0.1);
    expect(share(REASON.SELF_VIEW)).toBeGreaterThan(0.001);
    expect(share(REASON.SELF_VIEW)).toBeLessThan(0.03);
    expect(share(REASON.COUNTED)).toBeGreaterThan(0.9);
  });

  test('hold across midnight: nobody watches in the last and the next first half minute', () => {
    const next = addDays(DAY, 1);
    const big = { events: 100_000, videos: 2, creators: 1 };
    const viewersOf = (day: KstDay, from: number, to: number) =>
      new Set(
        rowsOf(requestOf({ ...big, day }))
          .filter((row) => row.watchedAtMs >= from && row.watchedAtMs < to && row.reason !== REASON.SELF_VIEW)
          .map((row) => row.viewer),
      );
    const before = viewersOf(DAY, endOfDayMs(DAY) - 30_000, endOfDayMs(DAY));
    const after = viewersOf(next, startOfDayMs(next), startOfDayMs(next) + 30_000);
    expect(before.size).toBeGreaterThan(5);
    expect(after.size).toBeGreaterThan(5);
    expect([...before].filter((viewer) => after.has(viewer))).toEqual([]);
  });
});

describe('the catalogue', () => {
  test('has a creator and a length that depend on the video and the number of creators only', () => {
    expect([1, 17, 2_000].map((videoId) => catalogueRow(catalogueVideo(videoId, 200)))).toEqual([
      '1\t1\t주말 기타 연주 1화\t1729\t2019-12-31 00:00:00.000\n',
      '17\t84\t느린 시장 구경 17화 🚲\t5589\t2019-12-31 00:00:00.000\n',
      '2000\t6\t혼자 떠나는 김치찌개 2000화\t562\t2019-12-31 00:00:00.000\n',
    ]);
    const videos = Array.from({ length: 5_000 }, (_, index) => catalogueVideo(index + 1, 500));
    expect(videos.every(({ lengthSeconds }) => lengthSeconds >= 60 && lengthSeconds <= 7_200)).toBe(true);
    expect(videos.every(({ creatorId }) => creatorId >= 1 && creatorId <= 500)).toBe(true);
    expect(new Set(videos.map(({ creatorId }) => creatorId)).size).toBeGreaterThan(490);
  });

  test('has titles in several scripts, which a bulk load carries unchanged', () => {
    const rows = Array.from({ length: 1_000 }, (_, index) => catalogueRow(catalogueVideo(index + 1, 100)));
    for (const row of rows) expect(row.split('\t')).toHaveLength(5);
    const all = rows.join('');
    expect(all).not.toContain('\\');
    for (const script of [/\p{Script=Hangul}/u, /\p{Script=Hiragana}/u, /[a-zé]/, /\p{Emoji_Presentation}/u]) {
      expect(all).toMatch(script);
    }
  });
});
