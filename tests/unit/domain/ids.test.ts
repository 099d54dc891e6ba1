import fc from 'fast-check';
import {
  compareIds,
  eventIdFromHex32,
  eventIdToHex32,
  formatId,
  parseCreatorId,
  parseEventId,
  parseUserId,
  parseVideoId,
  parseViewer,
  SLICE_COUNT,
  sliceOf,
  userOfViewer,
  VIEWER_LENGTH_MAX,
  viewerOfDevice,
  viewerOfUser,
} from '#domain';
import { codeOf, domainErrorOf } from './support/matchers.js';

const ID_MAX = 2n ** 63n - 1n;
const anyId = fc.oneof(fc.bigInt({ min: 1n, max: ID_MAX }), fc.constantFrom(1n, 2n ** 53n + 1n, ID_MAX));

describe('ids', () => {
  test('are read and written exactly, beyond what a JSON number holds', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        expect(formatId(parseVideoId(id.toString()))).toBe(id.toString());
        expect(parseUserId(id)).toBe(id);
        expect(parseCreatorId(id.toString())).toBe(id);
      }),
    );
  });

  const notIds = [
    '0',
    '-1',
    '+1',
    '01',
    '1.0',
    '1e3',
    ' 1',
    '1\n',
    '',
    '9223372036854775808',
    'abc',
    '0x10',
    1,
    null,
    0n,
  ];
  test.each(notIds)('%p is not an id', (value) => {
    expect(domainErrorOf(() => parseVideoId(value))).toMatchObject({ code: 'INVALID_ID', field: 'videoId' });
  });

  test('are ordered by number, not as text', () => {
    const sorted = ['10', '9', '100'].map((text) => parseVideoId(text)).sort(compareIds);
    expect(sorted.map(formatId)).toEqual(['9', '10', '100']);
    expect(compareIds(parseVideoId('7'), parseVideoId('7'))).toBe(0);
  });
});

describe('slices', () => {
  test('are the id mod 64, for every id', () => {
    expect(SLICE_COUNT).toBe(64);
    fc.assert(
      fc.property(anyId, (id) => {
        expect(sliceOf(id)).toBe(Number(id % 64n));
      }),
    );
    expect(codeOf(() => sliceOf(-1n))).toBe('INVALID_ID');
  });
});

describe('event ids', () => {
  test('of any UUID version and case are one canonical id, and survive the database form', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const eventId = parseEventId(uuid.toUpperCase());
        expect(eventId).toBe(uuid.toLowerCase());
        expect(eventIdToHex32(eventId)).toMatch(/^[0-9a-f]{32}$/);
        expect(eventIdFromHex32(eventIdToHex32(eventId).toUpperCase())).toBe(eventId);
      }),
    );
  });

  const notUuids = [
    '0190a6e0-0000-7000-8000-00000000000',
    '{0190a6e0-0000-7000-8000-000000000000}',
    '0190a6e000007000800000000000000g',
    '0190a6e0000070008000000000000000',
    ' 0190a6e0-0000-7000-8000-000000000000',
    '0190a6e0-0000-7000-8000-000000000000\n',
    '',
    null,
    7,
  ];
  test.each(notUuids)('%p is not an event id', (value) => {
    expect(domainErrorOf(() => parseEventId(value))).toMatchObject({ code: 'INVALID_EVENT_ID', field: 'eventId' });
  });

  test('hexadecimal of another length is refused', () => {
    expect(codeOf(() => eventIdFromHex32('ab'))).toBe('INVALID_EVENT_ID');
    expect(codeOf(() => eventIdFromHex32('g'.repeat(32)))).toBe('INVALID_EVENT_ID');
  });
});

describe('viewers', () => {
  test('a user and a device each have one canonical form, at most 38 characters', () => {
    const user = viewerOfUser(parseUserId(ID_MAX));
    expect(user).toBe('u:9223372036854775807');
    expect(parseViewer(user)).toBe(user);
    expect(userOfViewer(user)).toBe(ID_MAX);
    const device = viewerOfDevice('E4B06CE6-0741-47A8-BCE4-2C8218072E8C');
    expect(device).toBe('d:e4b06ce6-0741-47a8-bce4-2c8218072e8c');
    expect(parseViewer('d:E4B06CE6-0741-47A8-BCE4-2C8218072E8C')).toBe(device);
    expect(device).toHaveLength(VIEWER_LENGTH_MAX);
    expect(userOfViewer(device)).toBeNull();
    expect(domainErrorOf(() => viewerOfDevice('x'))).toMatchObject({ code: 'INVALID_VIEWER', field: 'X-Device-UUID' });
  });

  const notViewers = [
    'u:',
    'u:0',
    'u:01',
    'u:9223372036854775808',
    'U:1',
    'd:1',
    'x:1',
    '1',
    'u:1 ',
    'u:1\n',
    '',
    null,
    1,
  ];
  test.each(notViewers)('%p is not a viewer', (value) => {
    expect(codeOf(() => parseViewer(value))).toBe('INVALID_VIEWER');
  });
});
