import { parse } from 'yaml';
import { EVENTS } from '#lib/contract';
import { ofKind, type Resource, renderOverlay } from './support/kubernetes.js';
import { read } from './support/services.js';

const PUBSUB = 'pubsub';
const SETTINGS = ['protectedTopics', 'publishingScopes', 'subscriptionScopes'] as const;
const DEAD_LETTERS = 'dead-letters.';

const onKubernetes = (overlay: 'dev' | 'production') =>
  ofKind(renderOverlay(overlay), 'Component').find(({ metadata }) => metadata.name === PUBSUB)!;

const local = parse(read('components', 'local', 'pubsub.yaml')) as Resource;

/** Who may publish and read what, as text. */
function scopesOf({ spec, scopes }: Resource): Record<string, unknown> {
  const settingOf = (name: string) => spec.metadata.find((one: { name: string }) => one.name === name)?.value;
  return Object.fromEntries([['scopes', scopes], ...SETTINGS.map((name) => [name, settingOf(name)])]);
}

/** A list of topics as Dapr reads it: its spaces mean nothing. */
const topicsOf = (text: string) => text.replaceAll(' ', '').split(',');

/** Topics by app-id, as Dapr reads them. */
function byApp(text: string): Map<string, string[]> {
  const entries = text.replaceAll(' ', '').split(';');
  return new Map(
    entries.map((entry) => {
      const [appId = '', topics = ''] = entry.split('=');
      return [appId, topicsOf(topics).filter((topic) => topic !== '')];
    }),
  );
}

const holdersOf = (topic: string, scopes: Map<string, string[]>) =>
  [...scopes].filter(([, topics]) => topics.includes(topic)).map(([appId]) => appId);

test.each(['dev', 'production'] as const)('%s: topics have the same publishers and readers as locally', (overlay) => {
  expect(scopesOf(onKubernetes(overlay))).toEqual(scopesOf(local));
});

describe('of the topics', () => {
  const { protectedTopics, publishingScopes, subscriptionScopes, scopes } = scopesOf(local);
  const publishers = byApp(publishingScopes as string);
  const readers = byApp(subscriptionScopes as string);
  const topics = topicsOf(protectedTopics as string);
  const deadLetters = topics.filter((topic) => topic.startsWith(DEAD_LETTERS));

  test('all are protected: those of the contract, and the dead letters of consumers', () => {
    expect(topics.filter((topic) => !topic.startsWith(DEAD_LETTERS)).sort()).toEqual(Object.keys(EVENTS).sort());
    const used = [...publishers.values(), ...readers.values()].flat();
    expect(topics).toEqual(expect.arrayContaining(used));
  });

  test('each is published by one app', () => {
    for (const topic of topics) expect([topic, holdersOf(topic, publishers).length]).toEqual([topic, 1]);
  });

  test('dead letters are written and read by their consumer only', () => {
    expect(deadLetters.length).toBeGreaterThan(0);
    for (const topic of deadLetters) {
      const consumer = topic.slice(DEAD_LETTERS.length);
      expect([topic, holdersOf(topic, publishers)]).toEqual([topic, [consumer]]);
      expect([topic, holdersOf(topic, readers)]).toEqual([topic, [consumer]]);
    }
  });

  test('no app that has the broker is left out: it could have every other topic', () => {
    const apps = [...(scopes as string[])].sort();
    expect([...publishers.keys()].sort()).toEqual(apps);
    expect([...readers.keys()].sort()).toEqual(apps);
  });
});
