import { backoffMs, messageIdOf, verdictOf } from '../../../services/report/domain/mail.js';

const attempts = { attempts: 1, attemptsMax: 3 };

describe('after a failed attempt', () => {
  test.each([
    ['a connection that was refused', { responseCode: undefined, endMayBeSent: false }, { kind: 'retry' }],
    ['a server that is busy', { responseCode: 451, endMayBeSent: true }, { kind: 'retry' }],
    ['a recipient that is unknown', { responseCode: 550, endMayBeSent: false }, { kind: 'failed', failure: 'REFUSED' }],
    ['a message that is refused', { responseCode: 554, endMayBeSent: true }, { kind: 'failed', failure: 'REFUSED' }],
    [
      'no answer to the end of the message',
      { responseCode: undefined, endMayBeSent: true },
      { kind: 'failed', failure: 'IN_DOUBT' },
    ],
  ] as const)('by %s', (_what, attempt, verdict) => {
    expect(verdictOf(attempt, attempts)).toEqual(verdict);
  });

  test('of the last one allowed, the mail is given up', () => {
    const last = { attempts: 3, attemptsMax: 3 };
    expect(verdictOf({ responseCode: 451, endMayBeSent: false }, last)).toEqual({ kind: 'failed', failure: 'GAVE_UP' });
  });
});

test('the pause doubles from attempt to attempt, up to an hour', () => {
  expect([1, 2, 3].map((attempt) => backoffMs(attempt, 5_000))).toEqual([5_000, 10_000, 20_000]);
  expect(backoffMs(1_000, 5_000)).toBe(3_600_000);
});

test('the Message-ID is the same in every attempt, and another for another revision', () => {
  const mail = { creatorId: 7n, week: '2026-W47', revision: 1 };
  expect(messageIdOf(mail, 'playbill.example')).toBe('<statement.7.2026-W47.r1@playbill.example>');
  expect(messageIdOf({ ...mail, revision: 2 }, 'playbill.example')).toBe('<statement.7.2026-W47.r2@playbill.example>');
});
