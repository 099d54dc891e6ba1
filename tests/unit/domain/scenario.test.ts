import {
  checkWatchEvent,
  type EventId,
  formatId,
  type PostingKind,
  parseCreatorId,
  parseEventId,
  parseInstant,
  parseKstDay,
  parseVideoId,
  parseViewer,
  TARIFF_V1,
  type VideoId,
  verifyChain,
} from '#domain';
import { Model, type ModelPosting } from './support/model.js';
import { type ExpectedPosting, type SentEvent, scenario } from './support/scenario-fixture.js';

/** Letters and names of the scenario stand for ids of one's own. */
const videoIdOf = (letter: string): VideoId => parseVideoId(String(letter.charCodeAt(0) - 64));
const letterOf = (videoId: VideoId): string => String.fromCharCode(64 + Number(formatId(videoId)));
const userNumberOf = (name: string): string => String((name.startsWith('c') ? 100 : 200) + Number(name.slice(1)));
const viewerOf = (text: string) => parseViewer(text.startsWith('u:') ? `u:${userNumberOf(text.slice(2))}` : text);

function newModel(): Model {
  const videos = Object.entries(scenario.videos).map(([letter, video]) => ({
    videoId: videoIdOf(letter),
    creatorId: parseCreatorId(userNumberOf(video.creatorId)),
    opening: { view: BigInt(video.openingViews), ad: BigInt(video.openingAds) },
  }));
  return new Model(videos, [TARIFF_V1]);
}

function send(model: Model, event: SentEvent) {
  return model.send({
    eventId: parseEventId(event.eventId),
    videoId: videoIdOf(event.videoId),
    viewer: viewerOf(event.viewer),
    playedSeconds: event.playedTime,
    adViews: event.adViewCount,
    watchedAtMs: parseInstant(event.watchedAt),
  });
}

function asExpected(posting: ModelPosting): ExpectedPosting {
  const { from, to, amount, videoId, ...rest } = posting;
  return {
    ...rest,
    videoId: letterOf(videoId),
    from: from.toString(),
    to: to.toString(),
    amount: amount.toString(),
  };
}

/** Plays the steps, calling back with what happened and what should have. */
function play(model: Model, onStep: (actual: unknown, expected: unknown) => void): void {
  for (const step of scenario.steps) {
    if (step.do === 'send') onStep(send(model, step.event), step.answer);
    if (step.do === 'revoke') model.revoke(new Set<EventId>(step.eventIds.map((id) => parseEventId(id))));
    if (step.do !== 'run') continue;
    const { statistics, newPostings } = model.run(parseKstDay(step.day), parseKstDay(step.today));
    const byLetter = statistics.map(({ day: _day, videoId, ...figures }) => [letterOf(videoId), figures]);
    onStep(Object.fromEntries(byLetter), step.statistics);
    onStep(newPostings.map(asExpected), step.newPostings);
  }
}

test('the whole history gives every answer, statistic, posting, position and won that it must', () => {
  const model = newModel();
  let stepCount = 0;
  play(model, (actual, expected) => {
    expect(actual).toEqual(expected);
    stepCount += 1;
  });
  expect(stepCount).toBeGreaterThan(100);

  const positions = Object.keys(scenario.positions).map((key) => {
    const [letter, kind] = key.split('/') as [string, PostingKind];
    return [key, model.position(videoIdOf(letter), kind).toString()];
  });
  expect(Object.fromEntries(positions)).toEqual(scenario.positions);
  expect(model.ledgerTotal().toString()).toBe(scenario.ledgerTotal);
});

test('every chain starts at its opening position and ends at it plus all counted units', () => {
  const model = newModel();
  play(model, () => undefined);
  for (const [letter, video] of Object.entries(scenario.videos)) {
    for (const kind of ['view', 'ad'] as const) {
      const opening = BigInt(kind === 'view' ? video.openingViews : video.openingAds);
      const counted = model.countedUnits(videoIdOf(letter), kind);
      expect(verifyChain(opening, model.chain(videoIdOf(letter), kind))).toEqual({
        end: opening + counted,
        breaks: [],
      });
    }
  }
});

test('every event of the history is acceptable when it is watched', () => {
  for (const step of scenario.steps) {
    if (step.do !== 'send') continue;
    const { lengthSeconds } = scenario.videos[step.event.videoId] as { lengthSeconds: number };
    const watchedAtMs = parseInstant(step.event.watchedAt);
    expect(checkWatchEvent({ ...step.event, watchedAtMs }, { lengthSeconds }, watchedAtMs)).toEqual([]);
  }
});
