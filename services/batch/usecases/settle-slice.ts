import { hash } from 'node:crypto';
import type { Tariff } from '#domain';
import { inTransaction, type Queryable } from '#lib/database';
import type { RunMetrics } from '#lib/telemetry';
import { GENESIS_HASH, type LedgerEntry, ledgerHashInput, needsCheckpoint } from '../domain/ledger.js';
import type { SliceTask } from '../domain/run.js';
import { differs, type Position, type Posting, START, settleVideo, type VideoUnits } from '../domain/settle-video.js';
import {
  type AdjustmentCause,
  appendLedgerEntries,
  type EnteredPosting,
  insertCheckpoint,
  insertPostings,
  type LedgerHead,
  lockLedgerHeads,
  readPositions,
  readVideoUnits,
  saveLedgerHeads,
  savePositions,
  videosWithRevoked,
} from '../repositories/settlement-repository.js';
import { finishSlice, holdSlice } from '../repositories/slice-repository.js';
import { readTariff } from '../repositories/tariff-repository.js';
import type { Context } from './context.js';

/**
 * Settles one slice of creators for a day: for every video and kind the difference between its statistics and what is
 * posted for the day. A chunk of videos is one transaction of postings, positions and ledger entries, so a death in
 * between leaves whole chunks, and the next worker finds only the rest to differ.
 * @throws FencedError when the slice was given to another worker meanwhile
 */
export async function settleSlice(context: Context, task: SliceTask): Promise<void> {
  const { primary } = context.database;
  const tariff = await readTariff(primary, task.tariffVersion);
  const videos = await readVideoUnits(primary, task.day, task.slice);
  const open = videos.filter(differs);
  const chunkSize = context.config.BATCH_SETTLEMENT_CHUNK_VIDEOS;
  let written = 0;
  for (let at = 0; at < open.length; at += chunkSize) {
    const isLast = at + chunkSize >= open.length;
    const postings = await inTransaction(primary, async (tx) => {
      await holdSlice(tx, task);
      const posted = await settleChunk(tx, { task, tariff, videos: open.slice(at, at + chunkSize) });
      if (isLast) await finishSlice(tx, task, { rowsRead: videos.length, rowsWritten: written + posted.length });
      return posted;
    });
    written += postings.length;
    countPostings(context.metrics, task, postings);
  }
  if (open.length === 0) {
    await inTransaction(primary, (tx) => finishSlice(tx, task, { rowsRead: videos.length, rowsWritten: 0 }));
  }
  context.metrics.rows.inc({ phase: task.phase }, videos.length);
}

/** After their commit. Counters are doubles: exact up to 2^53 won, and for display only. */
function countPostings(metrics: RunMetrics, { day, billedOn }: SliceTask, postings: readonly Posting[]): void {
  const cause = billedOn === day ? 'first' : 'adjustment';
  metrics.postings.inc({ cause }, postings.length);
  let [plus, minus] = [0n, 0n];
  for (const { amount } of postings) {
    if (amount >= 0n) plus += amount;
    else minus -= amount;
  }
  metrics.postedWon.inc({ cause, sign: 'plus' }, Number(plus));
  if (minus > 0n) metrics.postedWon.inc({ cause, sign: 'minus' }, Number(minus));
}

interface Chunk {
  readonly task: SliceTask;
  readonly tariff: Tariff;
  readonly videos: readonly VideoUnits[];
}

/** @returns the postings that were made */
async function settleChunk(tx: Queryable, { task, tariff, videos }: Chunk): Promise<readonly Posting[]> {
  const ends = await readPositions(
    tx,
    videos.map((video) => video.videoId),
  );
  const postings: Posting[] = [];
  const moved = new Map<bigint, Position>();
  for (const video of videos) {
    const position = ends.get(video.videoId) ?? START;
    const settled = settleVideo({ video, position, tariff, day: task.day, billedOn: task.billedOn });
    postings.push(...settled.postings);
    moved.set(video.videoId, settled.position);
  }
  const entered = await appendToLedger(tx, postings, task);
  const causeOf = await causes(tx, postings, task);
  await insertPostings(tx, { entered, creatorSlice: task.slice, runNumber: task.runNumber, causeOf });
  await savePositions(tx, moved);
  return postings;
}

/** Names what made each adjustment, by its sign and by whether its video has revoked events. */
async function causes(
  tx: Queryable,
  postings: readonly Posting[],
  { day, billedOn }: SliceTask,
): Promise<(posting: Posting) => AdjustmentCause> {
  const downwards = billedOn === day ? [] : postings.filter((posting) => posting.to < posting.from);
  const revoked = await videosWithRevoked(tx, day, [...new Set(downwards.map((posting) => posting.videoId))]);
  return ({ from, to, videoId }) => (to > from ? 'LATE' : revoked.has(videoId) ? 'REVOKED' : 'CORRECTION');
}

/** Appends each posting's double entry to its creator's chain. */
async function appendToLedger(
  tx: Queryable,
  postings: readonly Posting[],
  { day, runNumber }: SliceTask,
): Promise<EnteredPosting[]> {
  const heads = await lockLedgerHeads(tx, [...new Set(postings.map((posting) => posting.creatorId))]);
  const before = new Map(heads);
  const entered = postings.map((posting) => {
    const head = heads.get(posting.creatorId) ?? { seq: 0n, hash: GENESIS_HASH };
    const entry: LedgerEntry = {
      creatorId: posting.creatorId,
      seq: head.seq + 1n,
      eventDay: day,
      videoId: posting.videoId,
      kind: posting.kind,
      postingSeq: posting.seq,
      amount: posting.amount,
      runNumber,
    };
    const next: LedgerHead = { seq: entry.seq, hash: hash('sha256', ledgerHashInput(head.hash, entry), 'hex') };
    heads.set(posting.creatorId, next);
    return { posting, ledgerSeq: next.seq, hash: next.hash };
  });
  await appendLedgerEntries(tx, { entered, runNumber });
  await saveLedgerHeads(tx, heads);
  for (const [creatorId, { seq }] of heads) {
    if (needsCheckpoint(before.get(creatorId)?.seq ?? 0n, seq)) await insertCheckpoint(tx, creatorId, seq);
  }
  return entered;
}
